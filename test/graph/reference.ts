/**
 * The IR in plain loops over float64: slow, short, and written without a look at the executors, to be the third opinion on
 * them and the function whose central differences the gradients are held against.
 */
import { gradients } from "../../shared/graph/autodiff.ts";
import { type Shape, sizeOf, topologicalOrder, type UnaryFn, type Value } from "../../shared/graph/ir.ts";
import { input } from "../../shared/graph/ops.ts";
import { relativeDifference } from "../tensors.ts";

export type Feeds = Readonly<Record<string, ArrayLike<number>>>;

/** erf by its series without cancellation: 2/√π · e^(−x²) · Σ 2ⁿ·x^(2n+1) / (1·3·5…(2n+1)). */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const UNARY: Record<UnaryFn, (x: number) => number> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  reciprocal: (x) => 1 / x,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  erf,
  silu: (x) => x / (1 + Math.exp(-x)),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

const BINARY = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
};

/** The index vector of element `flat`. */
function unravel(flat: number, shape: Shape): number[] {
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = flat % shape[axis];
    flat = Math.floor(flat / shape[axis]);
  }
  return index;
}

/** The element at an index vector; missing leading axes and axes of length 1 are broadcast. */
function ravel(index: readonly number[], shape: Shape): number {
  const lead = index.length - shape.length;
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    flat = flat * shape[axis] + (shape[axis] === 1 ? 0 : index[lead + axis]);
  }
  return flat;
}

/** Element by element from the index vector. */
function fill(shape: Shape, element: (index: number[]) => number): Float64Array {
  return Float64Array.from({ length: sizeOf(shape) }, (_, flat) => element(unravel(flat, shape)));
}

function swapped(index: readonly number[], swap: boolean): number[] {
  return swap ? [...index.slice(0, -2), ...index.slice(-2).reverse()] : [...index];
}

/** Applies `row` to each vector along the last axis. */
function rows(x: Float64Array, width: number, row: (x: Float64Array) => ArrayLike<number>): Float64Array {
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += width) out.set(row(x.subarray(at, at + width)), at);
  return out;
}

function softmax(x: Float64Array): Float64Array {
  const highest = Math.max(...x);
  const e = x.map((v) => Math.exp(v - highest));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}

function mean(x: Float64Array): number {
  return x.reduce((a, b) => a + b, 0) / x.length;
}

function evaluate(v: Value, x: readonly Float64Array[], feeds: Feeds): Float64Array {
  const { op, shape } = v;
  const shapes = v.inputs.map((i) => i.shape);
  const last = shape[shape.length - 1];
  switch (op.kind) {
    case "input":
      return Float64Array.from(feeds[op.name]);
    case "constant":
      return Float64Array.from(op.data);
    case "unary":
      return x[0].map(UNARY[op.fn]);
    case "binary": {
      const f = BINARY[op.fn];
      return fill(shape, (i) => f(x[0][ravel(i, shapes[0])], x[1][ravel(i, shapes[1])]));
    }
    case "matmul": {
      const inner = op.transA ? shapes[0][shapes[0].length - 2] : shapes[0][shapes[0].length - 1];
      return fill(shape, (i) => {
        const lead = i.slice(0, -2);
        const [m, n] = i.slice(-2);
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          const a = x[0][ravel(swapped([...lead, m, k], op.transA), shapes[0])];
          sum += a * x[1][ravel(swapped([...lead, k, n], op.transB), shapes[1])];
        }
        return op.alpha * sum;
      });
    }
    case "reduceSum": {
      const out = new Float64Array(sizeOf(shape));
      x[0].forEach((element, flat) => {
        out[ravel(unravel(flat, shapes[0]), shape)] += element;
      });
      return out;
    }
    case "reshape":
      return x[0];
    case "transpose": {
      const source = new Array<number>(shape.length);
      return fill(shape, (i) => {
        op.perm.forEach((from, to) => {
          source[from] = i[to];
        });
        return x[0][ravel(source, shapes[0])];
      });
    }
    case "broadcast":
      return fill(shape, (i) => x[0][ravel(i, shapes[0])]);
    case "slice":
      return fill(shape, (i) => x[0][ravel(i.with(op.axis, i[op.axis] + op.start), shapes[0])]);
    case "concat":
      return fill(shape, (i) => {
        let part = 0;
        let at = i[op.axis];
        while (at >= shapes[part][op.axis]) at -= shapes[part++][op.axis];
        // An axis of length 1 is read at 0 whatever the index says, which is right here too.
        return x[part][ravel(i.with(op.axis, at), shapes[part])];
      });
    case "gatherRows":
      return fill(shape, ([n, c]) => x[0][x[1][n] * shape[1] + c]);
    case "scatterAddRows": {
      const out = new Float64Array(sizeOf(shape));
      x[1].forEach((update, flat) => {
        const [n, c] = unravel(flat, shapes[1]);
        out[x[0][n] * shape[1] + c] += update;
      });
      return out;
    }
    case "softmax":
      return rows(x[0], last, softmax);
    case "rmsNorm":
      return rows(x[0], last, (row) => {
        const r = 1 / Math.sqrt(mean(row.map((e) => e * e)) + op.eps);
        return row.map((e, c) => e * r * x[1][c]);
      });
    case "layerNorm":
      return rows(x[0], last, (row) => {
        const m = mean(row);
        const r = 1 / Math.sqrt(mean(row.map((e) => (e - m) ** 2)) + op.eps);
        return row.map((e, c) => (e - m) * r * x[1][c] + x[2][c]);
      });
    case "rope": {
      // The pair of channels (c, c + half) as a complex number, times e^(i·angle).
      const half = last / 2;
      return fill(shape, ([b, h, s, d]) => {
        const c = d % half;
        const re = x[0][ravel([b, h, s, c], shape)];
        const im = x[0][ravel([b, h, s, c + half], shape)];
        const [cos, sin] = [x[1][s * half + c], x[2][s * half + c]];
        return d < half ? re * cos - im * sin : re * sin + im * cos;
      });
    }
    case "crossEntropy": {
      const p = rows(x[0], shapes[0][1], softmax);
      return fill(shape, ([n]) => (x[1][n] < 0 ? 0 : -Math.log(p[n * shapes[0][1] + x[1][n]])));
    }
    case "crossEntropyGrad": {
      const p = rows(x[0], last, softmax);
      return fill(shape, ([n, c]) =>
        x[1][n] < 0 ? 0 : (p[n * last + c] - (c === x[1][n] ? 1 : 0)) * x[2][n],
      );
    }
  }
}

/** The values of `outputs`, in that order. */
export function interpret(outputs: readonly Value[], feeds: Feeds): Float64Array[] {
  const known = new Map<Value, Float64Array>();
  for (const value of topologicalOrder(outputs)) {
    const inputs = value.inputs.map((v) => known.get(v) as Float64Array);
    const result = evaluate(value, inputs, feeds);
    if (result.length !== sizeOf(value.shape))
      throw new Error(`${value.op.kind} gave ${result.length} elements`);
    known.set(value, result);
  }
  return outputs.map((v) => known.get(v) as Float64Array);
}

/**
 * dL/d(feeds[name]) of L = Σ ⟨output, cotangent⟩ by central differences of step h: error about h² plus 1e-16 / h.
 */
export function centralDifferences(
  output: Value,
  cotangent: ArrayLike<number>,
  feeds: Feeds,
  name: string,
  h = 1e-5,
): Float64Array {
  const point = Float64Array.from(feeds[name]);
  const loss = (): number => {
    const [y] = interpret([output], { ...feeds, [name]: point });
    return y.reduce((sum, e, i) => sum + e * cotangent[i], 0);
  };
  return point.map((at, i) => {
    point[i] = at + h;
    const above = loss();
    point[i] = at - h;
    const below = loss();
    point[i] = at;
    return (above - below) / (2 * h);
  });
}

/** A fixed cotangent for an output, as it is fed under the name "cotangent". */
export function cotangentFor(output: Value): Float32Array {
  return Float32Array.from({ length: sizeOf(output.shape) }, (_, i) => Math.cos(1 + 2.3 * i));
}

/** The gradients of Σ ⟨output, cotangent⟩ as IR that reads the cotangent from an input of that name. */
export function gradientGraph(output: Value, wrt: readonly Value[]): Value[] {
  const seed = { output, cotangent: input("cotangent", output.shape) };
  return gradients([seed], wrt) as Value[];
}

/** Largest relative difference between the gradients that the graph makes, in f64, and central differences. */
export function gradientError(output: Value, wrt: readonly Value[], feeds: Feeds): number {
  const cotangent = cotangentFor(output);
  const exact = interpret(gradientGraph(output, wrt), { ...feeds, cotangent });
  const errors = wrt.map((value, i) => {
    const name = value.op.kind === "input" ? value.op.name : "";
    return relativeDifference(exact[i], centralDifferences(output, cotangent, feeds, name));
  });
  return Math.max(...errors);
}
