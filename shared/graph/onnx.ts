/**
 * Lowers a program to an ONNX model, the form in which ONNX Runtime runs it in Node and in browsers.
 *
 * Where ONNX Runtime has a fused kernel for what the IR says in one operator, that kernel is used, from its
 * "com.microsoft" domain where need be; everything is f32 with i32 indices.
 */
import { onnx } from "../../proto/generated/onnx.js";
import { type Program, type Shape, topologicalOrder, type Value } from "./ir.ts";

/** ONNX operator set; the first with Gelu is 20. */
const OPSET = 20;
/** IR version 9 goes with operator set 20. */
const IR_VERSION = 9;
const MICROSOFT = "com.microsoft";

const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

type Attribute = number | readonly number[] | string | { readonly float: number };

function attribute(name: string, value: Attribute): onnx.IAttributeProto {
  if (typeof value === "number") return { name, i: value, type: AttributeType.INT };
  if (typeof value === "string") {
    return { name, s: new TextEncoder().encode(value), type: AttributeType.STRING };
  }
  if ("float" in value) return { name, f: value.float, type: AttributeType.FLOAT };
  return { name, ints: [...value], type: AttributeType.INTS };
}

function bytesOf(data: Float32Array | Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

const ELEMENT_TYPE = { f32: DataType.FLOAT, i32: DataType.INT32 } as const;

function valueInfo(name: string, value: Value): onnx.IValueInfoProto {
  const dim = value.shape.map((d) => ({ dim_value: d }));
  return { name, type: { tensor_type: { elem_type: ELEMENT_TYPE[value.dtype], shape: { dim } } } };
}

/** Collects nodes and initializers; every method returns the name of what it added. */
class ModelWriter {
  readonly nodes: onnx.INodeProto[] = [];
  readonly initializers: onnx.ITensorProto[] = [];
  readonly #made = new Map<string, string>();
  #next = 0;

  fresh(): string {
    return `%${this.#next++}`;
  }

  node(
    type: string,
    inputs: readonly string[],
    options: { attributes?: Record<string, Attribute>; domain?: string; output?: string } = {},
  ): string {
    const output = options.output ?? this.fresh();
    this.nodes.push({
      op_type: type,
      input: [...inputs],
      output: [output],
      attribute: Object.entries(options.attributes ?? {}).map(([name, value]) => attribute(name, value)),
      domain: options.domain ?? "",
    });
    return output;
  }

  /** A fused kernel of ONNX Runtime's own domain. */
  fused(
    type: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute>,
    output: string,
  ): string {
    return this.node(type, inputs, { attributes, domain: MICROSOFT, output });
  }

  initializer(data: Float32Array | Int32Array | BigInt64Array, shape: Shape): string {
    const name = this.fresh();
    const type =
      data instanceof Float32Array
        ? DataType.FLOAT
        : data instanceof Int32Array
          ? DataType.INT32
          : DataType.INT64;
    this.initializers.push({ name, dims: [...shape], data_type: type, raw_data: bytesOf(data) });
    return name;
  }

  /** What `make` gives, made at the first call with this key. */
  once(key: string, make: () => string): string {
    const name = this.#made.get(key) ?? make();
    this.#made.set(key, name);
    return name;
  }

  /** A list of 64-bit integers, as ONNX wants its shapes and axes; equal lists share one initializer. */
  int64(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.once(`int64[${values.join()}]`, () => this.initializer(data, [values.length]));
  }
}

/**
 * log softmax(x), made once however often it is asked for: the cross-entropy reads it, and its gradient takes softmax(x) as the
 * exponential of it, which is cheaper than a second softmax.
 */
function logSoftmax(w: ModelWriter, x: string): string {
  return w.once(`LogSoftmax(${x})`, () => w.node("LogSoftmax", [x], { attributes: { axis: -1 } }));
}

const UNARY = {
  neg: "Neg",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  reciprocal: "Reciprocal",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  erf: "Erf",
} as const;
const BINARY = { add: "Add", sub: "Sub", mul: "Mul", div: "Div" } as const;

/** Emits the nodes of one value; `x` are the names of its inputs, `output` the name that its result gets. */
function lower(w: ModelWriter, v: Value, x: readonly string[], output: string): void {
  const { op } = v;
  const node = (
    type: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
  ): string => w.node(type, inputs, { attributes, output });
  switch (op.kind) {
    case "input":
    case "constant":
      return;
    case "unary":
      if (op.fn === "silu") w.fused("QuickGelu", x, { alpha: { float: 1 } }, output);
      else if (op.fn === "geluTanh") node("Gelu", x, { approximate: "tanh" });
      else node(UNARY[op.fn], x);
      return;
    case "binary":
      node(BINARY[op.fn], x);
      return;
    case "matmul": {
      const attributes = {
        transA: op.transA ? 1 : 0,
        transB: op.transB ? 1 : 0,
        alpha: { float: op.alpha },
      };
      if (v.shape.length === 2) node("Gemm", x, attributes);
      else w.fused("FusedMatMul", x, attributes, output);
      return;
    }
    case "reduceSum":
      node("ReduceSum", [x[0], w.int64(op.axes)], { keepdims: 1 });
      return;
    case "reshape":
      node("Reshape", [x[0], w.int64(v.shape)]);
      return;
    case "transpose":
      node("Transpose", x, { perm: op.perm });
      return;
    case "broadcast":
      node("Expand", [x[0], w.int64(v.shape)]);
      return;
    case "slice":
      node("Slice", [x[0], w.int64([op.start]), w.int64([op.end]), w.int64([op.axis])]);
      return;
    case "concat":
      node("Concat", x, { axis: op.axis });
      return;
    case "gatherRows":
      node("Gather", x, { axis: 0 });
      return;
    case "scatterAddRows": {
      const zero = w.node("Expand", [w.initializer(Float32Array.of(0), []), w.int64(v.shape)]);
      const rows = w.node("Reshape", [x[0], w.int64([-1, 1])]);
      const indices = w.node("Cast", [rows], { attributes: { to: DataType.INT64 } });
      node("ScatterND", [zero, indices, x[1]], { reduction: "add" });
      return;
    }
    case "softmax":
      node("Softmax", x, { axis: -1 });
      return;
    case "rmsNorm":
      node("SimplifiedLayerNormalization", x, { axis: -1, epsilon: { float: op.eps }, stash_type: 1 });
      return;
    case "layerNorm":
      node("LayerNormalization", x, { axis: -1, epsilon: { float: op.eps } });
      return;
    case "rope":
      w.fused(
        "RotaryEmbedding",
        [x[0], w.int64([0]), x[1], x[2]],
        { interleaved: 0, num_heads: v.shape[1] },
        output,
      );
      return;
    case "crossEntropy": {
      const { mask, index } = labels(w, x[1]);
      const picked = w.node("GatherElements", [logSoftmax(w, x[0]), index], { attributes: { axis: 1 } });
      const nll = w.node("Neg", [w.node("Mul", [picked, mask])]);
      node("Reshape", [nll, w.int64(v.shape)]);
      return;
    }
    case "crossEntropyGrad": {
      const { mask, index } = labels(w, x[1]);
      const weight = w.node("Mul", [w.node("Reshape", [x[2], w.int64([-1, 1])]), mask]);
      const p = w.node("Mul", [w.node("Exp", [logSoftmax(w, x[0])]), weight]);
      node("ScatterElements", [p, index, w.node("Neg", [weight])], { axis: 1, reduction: "add" });
      return;
    }
  }
}

/** From labels i32 [N]: which are real, as f32 [N, 1], and an index that is safe to gather with, i32 [N, 1]. */
function labels(w: ModelWriter, name: string): { mask: string; index: string } {
  const zero = w.initializer(Int32Array.of(0), []);
  const column = w.node("Reshape", [name, w.int64([-1, 1])]);
  const real = w.node("GreaterOrEqual", [column, zero]);
  return {
    mask: w.node("Cast", [real], { attributes: { to: DataType.FLOAT } }),
    index: w.node("Max", [column, zero]),
  };
}

export interface OnnxOptions {
  /** Name of an additional first output, an empty sequence of f32 tensors. */
  readonly emptySequence?: string;
}

/** The program as a serialised ONNX ModelProto whose inputs and outputs have the program's names. */
export function lowerToOnnx(program: Program, options: OnnxOptions = {}): Uint8Array {
  const w = new ModelWriter();
  const names = new Map<Value, string>();
  const outputOf = new Map<Value, string>();
  const inputs: onnx.IValueInfoProto[] = [];
  for (const [name, value] of program.outputs) {
    if (value.inputs.length > 0 && !outputOf.has(value)) outputOf.set(value, name);
  }
  const nameOf = (v: Value): string => names.get(v) as string;
  for (const value of topologicalOrder([...program.outputs.values()])) {
    if (value.op.kind === "input") {
      names.set(value, value.op.name);
      inputs.push(valueInfo(value.op.name, value));
      continue;
    }
    if (value.op.kind === "constant") {
      names.set(value, w.initializer(value.op.data, value.shape));
      continue;
    }
    const output = outputOf.get(value) ?? w.fresh();
    names.set(value, output);
    lower(w, value, value.inputs.map(nameOf), output);
  }
  for (const [name, value] of program.outputs) {
    if (outputOf.get(value) !== name) w.node("Identity", [nameOf(value)], { output: name });
  }
  const results = [...program.outputs].map(([name, value]) => valueInfo(name, value));
  if (options.emptySequence !== undefined) {
    const name = w.node("SequenceEmpty", [], { output: options.emptySequence });
    results.unshift({
      name,
      type: { sequence_type: { elem_type: { tensor_type: { elem_type: DataType.FLOAT } } } },
    });
  }
  return onnx.ModelProto.encode({
    ir_version: IR_VERSION,
    producer_name: "narrowband",
    opset_import: [
      { domain: "", version: OPSET },
      { domain: MICROSOFT, version: 1 },
    ],
    graph: {
      name: "segment",
      node: w.nodes,
      initializer: w.initializers,
      input: inputs,
      output: results,
    },
  }).finish();
}
