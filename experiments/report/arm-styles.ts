/** How the arms of an experiment are drawn, the same in all plots of a page or a document: by colour, shape and dashes. */
import { DASHED, SOLID, type Style } from "./charts.ts";
import { SHAPES, type Shape } from "./shapes.ts";
import type { ArmRuns } from "./study.ts";

/**
 * Light and dark. After Okabe and Ito's (2008), moved until each has a contrast of 3 : 1 at least with its paper, and any two are 12 apart at least in
 * CIELAB for all kinds of colour vision (as Machado, Oliveira and Fernandes simulate them, 2009), 30 for the most common.
 */
export const ARM_COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ["#0072b2", "#56b4e9"],
  ["#95392c", "#e17238"],
  ["#0d9355", "#2aefa1"],
  ["#c9698b", "#c48da0"],
  ["#ab930d", "#fce63c"],
  ["#1c1c1b", "#ecebe5"],
  ["#00a3bf", "#8271fd"],
];

/** A style sheet's rules that define the colours as --arm-1 and so on. */
export const ARM_VARIABLES = `
:root { ${ARM_COLOURS.map(([light], i) => `--arm-${i + 1}: ${light};`).join(" ")} }
@media (prefers-color-scheme: dark) {
  :root { ${ARM_COLOURS.map(([, dark], i) => `--arm-${i + 1}: ${dark};`).join(" ")} }
}
`;

export interface ArmStyle extends Style {
  readonly shape: Shape;
}

/**
 * Styles of arms by their names. An arm without its entropy stage has the colour and shape of the arm whose runs it shares, where that is drawn, and dashes;
 * of all others no two have the same colour and shape, up to 42 of them.
 */
export function armStyles(arms: readonly Pick<ArmRuns, "arm" | "packedOf">[]): Map<string, ArmStyle> {
  const names = new Set(arms.map(({ arm }) => arm));
  const parents = new Map(
    arms.flatMap(({ arm, packedOf }) =>
      packedOf !== undefined && names.has(packedOf.arm) ? [[arm, packedOf.arm]] : [],
    ),
  );
  const own = [...names].filter((name) => !parents.has(name));
  return new Map(
    [...names].map((name) => {
      const parent = parents.get(name);
      const i = own.indexOf(parent ?? name);
      // As many colours as shapes have no common divisor: both change from arm to arm.
      const colour = `var(--arm-${(i % ARM_COLOURS.length) + 1})`;
      const dash = parent === undefined ? SOLID : DASHED;
      return [name, { colour, shape: SHAPES[i % SHAPES.length], dash }];
    }),
  );
}
