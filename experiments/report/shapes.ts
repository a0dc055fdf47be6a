/** Shapes of points, by the names that Vega has for them, for legends that a page draws itself. */

export const SHAPES = ["circle", "square", "diamond", "triangle-up", "triangle-down", "cross"] as const;
export type Shape = (typeof SHAPES)[number];

/** Of each a path in a box of 14 × 14 pixels. */
export const SHAPE_PATHS: Readonly<Record<Shape, string>> = {
  circle: "M7 2.5A4.5 4.5 0 1 1 6.99 2.5Z",
  square: "M3 3H11V11H3Z",
  diamond: "M7 1.5 12 7 7 12.5 2 7Z",
  "triangle-up": "M7 2 12 11.5H2Z",
  "triangle-down": "M7 12 2 2.5H12Z",
  cross: "M5.5 2H8.5V5.5H12V8.5H8.5V12H5.5V8.5H2V5.5H5.5Z",
};

/** By what an area must be multiplied so that the shape looks as large as a circle: Vega's are as wide, and so emptier. */
export const SHAPE_AREAS: Readonly<Record<Shape, number>> = {
  circle: 1,
  square: 0.9,
  diamond: 1.7,
  "triangle-up": 1.5,
  "triangle-down": 1.5,
  cross: 1.5,
};
