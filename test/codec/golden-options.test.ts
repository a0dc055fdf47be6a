/**
 * Bodies with dither, sink tokens, rotation and scales of tokens decode to what docs/codecs.md says. The values were computed from that page by
 * a decoder in another language, not by this one.
 */

import { describe, expect, it } from "vitest";
import { createDecoder, parseCodecSpec } from "../../shared/codec/registry.ts";
import { hex } from "./helpers.ts";

const GOLDENS = [
  {
    spec: "fixed:3,rounding=dithered",
    channels: 3,
    tokens: 4,
    scales: "f2e4f66bf633d561ed166ec96379bbc821",
    payload: "3ee1c37c01",
    values:
      "a296d73e57965c3f6edf823e2c88133f3332863f2a95d83e50e6aabed28bd8bff1fe9b3e2e7cf0bfa5223d3fcc81973c",
  },
  {
    spec: "fixed:3,rounding=nearest,sinks=auto,rotate=16",
    channels: 6,
    tokens: 16,
    scales: "010003000000fab074754e013c40c560552756f322ef01f46df2bff4a8ee70f2b669386cce6a916cae69a86d",
    payload: "93537c5a888564dbc3e466e871d856f4824614ddd7a05b165ae6395fb6948ba02311",
    values:
      "0000c03b0020153f00c08f3e0080273f89a7833f05189c3e008080be00d0b8bf0000393e0050ddbff10c473f089e5c3d" +
      "001007bf00b018bf0048f13f00d00b3f6bc2ea3c8102a73f0000964300a0ce3e0020803c0000a8bd0000ac3f00e0c43f" +
      "00a0f43e0080893d0060c1be00188dbf6afd453fd39bf9bf0080e2be00001ebe0030fc3f0000d53d2d85463fe3b672bf" +
      "000001be00c02b3f000006be00005bbfcfca063f05e149be00c81b4000409d3e00c05c3f0000663e74b279bff6f8993e" +
      "0060d2be00188ebf00b8b4bf0018893ff4c9d93c7d089b3e0020c83f00509c3f004014bf0000f3bd2b9161bee9900340" +
      "0000c03b0020153f00c08f3e0080273ff4c9d93c7d089b3e0020b83e00b04c3f007049bf0040213ecde05140eed1b8bf" +
      "00e027bf00c808c000a0453f003097bf7ad7bcbffbf84c3f00b05dbf0060b63e0020e4be0080ecbd57da073fa344e73f" +
      "00201b3f00d0cd3f00403c3f0000203f605cf2bebe804d3f0060eabf00c09e3e00a034bf0080e33fe86bf3be14004cbe",
  },
  {
    spec: "fixed:2,rounding=dithered,sinks=auto,rotate=16",
    channels: 5,
    tokens: 17,
    scales: "010003000000fab07414ca415694bf754ef3efeee2ef37f275f23ef1aaeefd6d8872056f527079bbc821",
    payload: "95d9619961d8a60f2841611dbf47e9c972887c69",
    values:
      "166b673eb826843f168e373e0afc973fde0e1a3f0f351b3f460580bf4ab6e3bfd4f127be2b8d91bf86fab03f5eb02dbe" +
      "a01f3bbf78e43bbf6cf7da3f00009643008042be0020c83f0080f2bc00a0ce3ec862553ea056e7bd3c04473fafa1923f" +
      "0d29853e503d1e3e71c39a3e6e539cbf2c15383ffb3ed7bf0a3107bfda97663e2b07e73f7ceca83ddabc483fa61cb1bf" +
      "346ccdbeda8ea13f384d113e0e9c9cbf766c633f88db36beef4ce83f88c920be8243273f641ddebca4d80dbf248e893e" +
      "549b4dbf82dc7cbfd69bb7bfc3a0d93ff692b43ef1b6973f4af1fc3f1c99cc3fa2800fbf6012c43d9a7900beb2da0940" +
      "c858443f82b1ca3e58916ebea9c6193f9c3fe2bd34e230be1eeb993ee295993f2e1585bf2e231dbebb9c29402e0d89bf" +
      "045b11bf1addc8bf938de63e451685bfe88494bfc4002b3fd821d9bda3b9be3ec6221abe2c48883e0b38e03e27d9ff3f" +
      "f07f9cbc",
  },
  {
    spec: "fixed:3,rounding=dithered,tokenScale=pow2",
    channels: 3,
    tokens: 5,
    scales: "401a0ff3dcee2a5d2df34be86b62846c79bbc821",
    payload: "813f6d077010",
    values:
      "6fe0f9beff2b943ef8f3d0bf249966bddd60ad3c82d8e2bdd0a4493a28e8a239f56a0d3b6f69e53e4127c23eba9f49bf" +
      "f63b13b57a3364353ae8ca36",
  },
];

describe("the golden body of", () => {
  it.each(GOLDENS)("$spec", ({ spec, channels, tokens, scales, payload, values }) => {
    const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
    const out = new Float32Array(tokens * channels);
    const sections = {
      bitTable: undefined,
      bitTableVersion: 0,
      scales: bytes(scales),
      payload: bytes(payload),
    };
    createDecoder(parseCodecSpec(spec), { channels }).decode(sections, tokens, out);
    expect(hex(new Uint8Array(out.buffer))).toBe(values);
  });
});
