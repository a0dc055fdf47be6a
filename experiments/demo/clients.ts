/** Who takes part in the demo, and on what text. Neither text is in what the bundled model was pretrained on. */
export const CLIENTS = [
  { name: "ahab", data: "npm:moby-dick", about: "Moby-Dick" },
  { name: "atlas", data: "npm:factbook", about: "the World Factbook" },
] as const;

/** Share of each text that no step sees. */
export const HELD_OUT = 0.1;
