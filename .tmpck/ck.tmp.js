import * as ort from "onnxruntime-node";
import { readFileSync } from "node:fs";
//#region src/errors.ts
/**
* An error a user can act on: what happened, where, and what to do about it, in one line.
* Every error the library throws on purpose is one of these.
*/
var TesseraeError = class extends Error {
	name = "TesseraeError";
	code;
	where;
	hint;
	constructor(code, what, detail = {}) {
		const { where, hint, cause } = detail;
		super([where ? `${where}: ${what}` : what, hint].filter(Boolean).join(". "), { cause });
		this.code = code;
		this.where = where;
		this.hint = hint;
	}
};
//#endregion
//#region src/graph/op.ts
const registry = /* @__PURE__ */ new Map();
/** Defines an ONNX operator under its ONNX name. */
function defineOp(name, def) {
	if (registry.has(name)) throw new TesseraeError("internal", `operator ${name} is defined twice`);
	registry.set(name, def);
}
function opDef(name) {
	const def = registry.get(name);
	if (!def) throw new TesseraeError("internal", `operator ${name} is not defined`, { hint: "Import ops/index.ts first" });
	return def;
}
//#endregion
//#region src/graph/types.ts
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
const sameShape = (a, b) => a.length === b.length && a.every((d, i) => d === b[i]);
/** "[2, 3, N]"; a free axis prints as N, 4N... */
const showShape = (shape) => `[${shape.map((d) => d >= 0 ? d : d === -1 ? "N" : `${-d}N`).join(", ")}]`;
const isFloat = (dtype) => dtype.startsWith("float") || dtype === "bfloat16";
/** Numpy broadcasting of any number of shapes. */
function broadcastShapes(...shapes) {
	const rank = Math.max(...shapes.map((s) => s.length));
	return Array.from({ length: rank }, (_, axis) => {
		let size = 1;
		for (const shape of shapes) {
			const d = shape[axis - rank + shape.length] ?? 1;
			if (d === 1 || d === size) continue;
			if (size !== 1) throw new TesseraeError("shape", `cannot broadcast ${shapes.map(showShape).join(" with ")}`);
			size = d;
		}
		return size;
	});
}
/** axis in [-rank, rank) to [0, rank). */
function normalizeAxis(axis, rank) {
	if (axis < -rank || axis >= rank) throw new TesseraeError("shape", `axis ${axis} is out of range for rank ${rank}`);
	return axis < 0 ? axis + rank : axis;
}
/** Row-major strides. */
function stridesOf(shape) {
	const strides = new Array(shape.length);
	let s = 1;
	for (let i = shape.length - 1; i >= 0; i--) {
		strides[i] = s;
		s *= shape[i];
	}
	return strides;
}
/** The host array of each dtype; float16 and bfloat16 are raw 16-bit words, bool one byte each. */
const ARRAYS = {
	float32: Float32Array,
	float64: Float64Array,
	float16: Uint16Array,
	bfloat16: Uint16Array,
	int64: BigInt64Array,
	int32: Int32Array,
	int16: Int16Array,
	int8: Int8Array,
	uint64: BigUint64Array,
	uint32: Uint32Array,
	uint16: Uint16Array,
	uint8: Uint8Array,
	bool: Uint8Array
};
/** A zeroed host array of the dtype (float16 and bfloat16 as raw 16-bit words). */
const allocate = (dtype, size) => new ARRAYS[dtype](size);
/** Bytes of one element. */
const byteSize = (dtype) => ARRAYS[dtype].BYTES_PER_ELEMENT;
/** Host values converted from doubles: rounds to float32, wraps integers, widens to bigint where needed. */
function fromDoubles(dtype, values) {
	if (dtype === "int64") return BigInt64Array.from(values, (v) => BigInt(Math.trunc(v)));
	if (dtype === "uint64") return BigUint64Array.from(values, (v) => BigInt(Math.trunc(v)));
	if (dtype === "float16" || dtype === "bfloat16") throw new TesseraeError("internal", `no host conversion to ${dtype}`);
	return ARRAYS[dtype].from(values);
}
/** Host values as doubles. */
const toDoubles = (data) => data instanceof BigInt64Array || data instanceof BigUint64Array ? Float64Array.from(data, Number) : Float64Array.from(data);
//#endregion
//#region src/graph/tensor.ts
let nextId = 0;
let scope = "";
/** Runs f with every node it makes attributed to a module path. */
function withScope(path, f) {
	const outer = scope;
	scope = path;
	try {
		return f();
	} finally {
		scope = outer;
	}
}
const currentScope = () => scope;
function makeNode(op, inputs, attrs, types) {
	const outputs = [];
	const node = {
		id: nextId++,
		op,
		inputs,
		attrs,
		outputs,
		scope
	};
	types.forEach((type, index) => {
		outputs.push(new Tensor(node, index, type.dtype, type.shape));
	});
	return node;
}
/** Applies an operator and gives all its outputs. */
function applyAll(op, inputs, attrs = {}) {
	const types = opDef(op).type(inputs, attrs);
	return makeNode(op, inputs, attrs, Array.isArray(types) ? types : [types]).outputs;
}
/** Applies an operator and gives its first output. */
const apply = (op, inputs, attrs) => applyAll(op, inputs, attrs)[0];
/** A named input of a program. */
const input = (name, dtype, shape) => makeNode("Input", [], { name }, [{
	dtype,
	shape
}]).outputs[0];
/** A constant from doubles; the value is kept exactly until it is written as its dtype. */
const constant = (data, shape = [], dtype = "float32") => {
	const value = {
		shape,
		data: typeof data === "number" ? Float64Array.of(data) : Float64Array.from(data)
	};
	if (value.data.length !== sizeOf(shape)) throw new TesseraeError("shape", `${value.data.length} values do not fill ${showShape(shape)}`);
	return makeNode("Constant", [], { value }, [{
		dtype,
		shape
	}]).outputs[0];
};
/** A constant from host values in their own dtype, not copied: weights. */
const constantData = (value) => makeNode("Constant", [], { value }, [{
	dtype: value.dtype,
	shape: value.shape
}]).outputs[0];
/** A constant of one value; broadcasts in arithmetic. */
const fill = (value, shape, dtype = "float32") => shape.some((d) => d < 0) ? constant(value, [], dtype).expand(shape) : constant(new Float64Array(sizeOf(shape)).fill(value), shape, dtype);
/**
* A value of the graph, and the fluent way to build more of it. Every method adds nodes named after
* ONNX operators; shapes and dtypes are checked at once.
*/
var Tensor = class Tensor {
	node;
	index;
	dtype;
	shape;
	/** @internal Use `input`, `constant` or an operator. */
	constructor(node, index, dtype, shape) {
		this.node = node;
		this.index = index;
		this.dtype = dtype;
		this.shape = shape;
	}
	get rank() {
		return this.shape.length;
	}
	get size() {
		return sizeOf(this.shape);
	}
	add(b) {
		return this.#binary("Add", b);
	}
	sub(b) {
		return this.#binary("Sub", b);
	}
	mul(b) {
		return this.#binary("Mul", b);
	}
	div(b) {
		return this.#binary("Div", b);
	}
	pow(b) {
		return this.#binary("Pow", b);
	}
	mod(b) {
		return this.#binary("Mod", b);
	}
	min(b) {
		return this.#binary("Min", b);
	}
	max(b) {
		return this.#binary("Max", b);
	}
	bitXor(b) {
		return this.#binary("BitwiseXor", b);
	}
	shiftRight(b) {
		return apply("BitShift", [this, this.#operand(b)], { direction: "RIGHT" });
	}
	equal(b) {
		return this.#binary("Equal", b);
	}
	greater(b) {
		return this.#binary("Greater", b);
	}
	less(b) {
		return this.#binary("Less", b);
	}
	greaterOrEqual(b) {
		return this.#binary("GreaterOrEqual", b);
	}
	lessOrEqual(b) {
		return this.#binary("LessOrEqual", b);
	}
	and(b) {
		return this.#binary("And", b);
	}
	not() {
		return this.#unary("Not");
	}
	/** this ? a : b, elementwise; at least one of a and b is a tensor. */
	where(a, b) {
		const like = a instanceof Tensor ? a : b;
		return apply("Where", [
			this,
			like.#operand(a),
			like.#operand(b)
		]);
	}
	neg() {
		return this.#unary("Neg");
	}
	abs() {
		return this.#unary("Abs");
	}
	sign() {
		return this.#unary("Sign");
	}
	exp() {
		return this.#unary("Exp");
	}
	log() {
		return this.#unary("Log");
	}
	sqrt() {
		return this.#unary("Sqrt");
	}
	reciprocal() {
		return this.#unary("Reciprocal");
	}
	floor() {
		return this.#unary("Floor");
	}
	erf() {
		return this.#unary("Erf");
	}
	tanh() {
		return this.#unary("Tanh");
	}
	sin() {
		return this.#unary("Sin");
	}
	cos() {
		return this.#unary("Cos");
	}
	relu() {
		return this.#unary("Relu");
	}
	sigmoid() {
		return this.#unary("Sigmoid");
	}
	softplus() {
		return this.#unary("Softplus");
	}
	isNaN() {
		return this.#unary("IsNaN");
	}
	isInf() {
		return this.#unary("IsInf");
	}
	square() {
		return this.mul(this);
	}
	/** max(low, min(high, x)). */
	clip(low, high) {
		return this.max(low).min(high);
	}
	/** max(0, min(1, alpha·x + beta)). */
	hardSigmoid(alpha = 1 / 6, beta = .5) {
		return apply("HardSigmoid", [this], {
			alpha,
			beta
		});
	}
	/** x · sigmoid(x). */
	silu() {
		return this.mul(this.sigmoid());
	}
	/** x · hardSigmoid(x). */
	hardSwish() {
		return this.#unary("HardSwish");
	}
	/** x · Φ(x), exact (erf). */
	gelu() {
		return this.#unary("Gelu");
	}
	/** The tanh approximation of GELU. */
	geluTanh() {
		const inner = this.add(this.mul(this).mul(this).mul(.044715)).mul(Math.sqrt(2 / Math.PI));
		return this.mul(inner.tanh().add(1).mul(.5));
	}
	cast(dtype) {
		return dtype === this.dtype ? this : apply("Cast", [this], { to: dtype });
	}
	/** a · b over the last two axes, broadcast over the leading ones. */
	matmul(b) {
		return apply("MatMul", [this, b]);
	}
	/** alpha · op(a) · op(b) + c for matrices. */
	gemm(b, c, attrs = {}) {
		return apply("Gemm", c ? [
			this,
			b,
			c
		] : [this, b], attrs);
	}
	/** Convolution of NCHW images with OIHW weights. */
	conv(weight, bias, attrs = {}) {
		return apply("Conv", bias ? [
			this,
			weight,
			bias
		] : [this, weight], attrs);
	}
	maxPool(attrs) {
		return apply("MaxPool", [this], attrs);
	}
	avgPool(attrs) {
		return apply("AveragePool", [this], attrs);
	}
	sum(axes, keepdims = false) {
		return this.#reduce("ReduceSum", axes, keepdims);
	}
	mean(axes, keepdims = false) {
		return this.#reduce("ReduceMean", axes, keepdims);
	}
	amax(axes, keepdims = false) {
		return this.#reduce("ReduceMax", axes, keepdims);
	}
	sumSquare(axes, keepdims = false) {
		return this.#reduce("ReduceSumSquare", axes, keepdims);
	}
	argMax(axis) {
		return apply("ArgMax", [this], {
			axis: normalizeAxis(axis, this.rank),
			keepdims: 0
		});
	}
	/** Sums over the axes along which `shape` was broadcast to this shape. */
	sumTo(shape) {
		if (sameShape(this.shape, shape)) return this;
		const lead = this.rank - shape.length;
		const axes = this.shape.flatMap((d, i) => i < lead || shape[i - lead] === 1 && d !== 1 ? [i] : []);
		return this.sum(axes, true).reshape(shape);
	}
	softmax(axis = -1) {
		return apply("Softmax", [this], { axis: normalizeAxis(axis, this.rank) });
	}
	logSoftmax(axis = -1) {
		return apply("LogSoftmax", [this], { axis: normalizeAxis(axis, this.rank) });
	}
	/** One size may be 0 or absent-like: pass "infer" for the axis that takes what is left. */
	reshape(shape) {
		const known = sizeOf(shape.map((d) => d === "infer" ? 1 : d));
		const target = shape.map((d) => d === "infer" ? this.size / known : d);
		if (sameShape(target, this.shape)) return this;
		const source = this.node.op === "Reshape" ? this.node.inputs[0] : this;
		return sameShape(target, source.shape) ? source : apply("Reshape", [source], { shape: target });
	}
	transpose(perm) {
		return perm.every((p, i) => p === i) ? this : apply("Transpose", [this], { perm });
	}
	/** The last two axes exchanged. */
	mT() {
		const r = this.rank;
		return this.transpose([
			...Array(r - 2).keys(),
			r - 1,
			r - 2
		]);
	}
	expand(shape) {
		return sameShape(shape, this.shape) ? this : apply("Expand", [this], { shape });
	}
	/** start (inclusive) to end (exclusive) along one axis; negative steps walk backwards. */
	slice(axis, start, end, step = 1) {
		const a = normalizeAxis(axis, this.rank);
		if (step === 1 && start === 0 && end === this.shape[a]) return this;
		return apply("Slice", [this], {
			starts: [start],
			ends: [end],
			axes: [a],
			steps: [step]
		});
	}
	/** Equal parts, or parts of the given sizes, along an axis. */
	split(parts, axis) {
		const a = normalizeAxis(axis, this.rank);
		const split = typeof parts === "number" ? Array(parts).fill(this.shape[a] / parts) : parts;
		return split.length === 1 ? [this] : applyAll("Split", [this], {
			axis: a,
			split
		});
	}
	/** Zeros (or `value`) before and after each axis: pads = [[before, after], ...]. */
	pad(pads, value = 0) {
		if (pads.every(([a, b]) => a === 0 && b === 0)) return this;
		return apply("Pad", [this], {
			pads: [...pads.map((p) => p[0]), ...pads.map((p) => p[1])],
			value
		});
	}
	/** Entries at integer indices along an axis; the axis is replaced by the indices' axes. */
	gather(indices, axis = 0) {
		return apply("Gather", [this, indices], { axis: normalizeAxis(axis, this.rank) });
	}
	squeeze(axis) {
		const a = normalizeAxis(axis, this.rank);
		if (this.shape[a] !== 1) throw new TesseraeError("shape", `cannot squeeze axis ${axis} of ${showShape(this.shape)}`);
		return this.reshape(this.shape.filter((_, i) => i !== a));
	}
	unsqueeze(axis) {
		const a = normalizeAxis(axis, this.rank + 1);
		return this.reshape([
			...this.shape.slice(0, a),
			1,
			...this.shape.slice(a)
		]);
	}
	/** Axes from `axis` on merged into one. */
	flatten(axis = 1) {
		return this.reshape([...this.shape.slice(0, axis), sizeOf(this.shape.slice(axis))]);
	}
	#operand(b) {
		return b instanceof Tensor ? b : constant(b, [], this.dtype);
	}
	#binary(op, b) {
		return apply(op, [this, this.#operand(b)]);
	}
	#unary(op) {
		return apply(op, [this]);
	}
	#reduce(op, axes, keepdims) {
		const list = axes?.map((a) => normalizeAxis(a, this.rank)) ?? [...this.shape.keys()];
		return list.length === 0 ? this : apply(op, [this], {
			axes: list.sort((a, b) => a - b),
			keepdims: keepdims ? 1 : 0
		});
	}
};
/** Joins along an axis. */
const concat = (parts, axis) => parts.length === 1 ? parts[0] : apply("Concat", parts, { axis: normalizeAxis(axis, parts[0].rank) });
/** A zero tensor of the same type, for a cotangent that does not flow. */
const zerosLike = (t) => fill(0, t.shape, t.dtype);
/** Is the dtype one that gradients flow through? */
const isDifferentiable = (t) => isFloat(t.dtype);
//#endregion
//#region src/graph/walk.ts
/** Every node that the tensors depend on, inputs first. */
function nodesOf(outputs) {
	const seen = /* @__PURE__ */ new Set();
	const stack = [...outputs].map((t) => t.node);
	while (stack.length > 0) {
		const node = stack.pop();
		if (seen.has(node)) continue;
		seen.add(node);
		for (const t of node.inputs) if (t) stack.push(t.node);
	}
	return [...seen].sort((a, b) => a.id - b.id);
}
//#endregion
//#region src/ops/ndarray.ts
/** Plain host arrays, for evaluation in doubles. Clear before fast. */
const nd = (shape, data = new Float64Array(sizeOf(shape))) => ({
	shape,
	data
});
const map = (x, f) => nd(x.shape, x.data.map(f));
/** Calls f(flat, index) for every element of a shape in row-major order. */
function forEachIndex(shape, f) {
	const index = new Array(shape.length).fill(0);
	const total = sizeOf(shape);
	for (let flat = 0; flat < total; flat++) {
		f(flat, index);
		for (let a = shape.length - 1; a >= 0; a--) {
			if (++index[a] < shape[a]) break;
			index[a] = 0;
		}
	}
}
/** Gathers an output of the given shape: out[index] = x[offset(index)]. */
function gatherBy(x, shape, offset) {
	const out = nd(shape);
	forEachIndex(shape, (flat, index) => {
		out.data[flat] = x.data[offset(index)];
	});
	return out;
}
/** Strides of x seen as broadcast to `shape`: zero where an axis is repeated. */
function broadcastStrides(from, to) {
	const strides = stridesOf(from);
	const lead = to.length - from.length;
	return to.map((_, i) => i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]);
}
const dot = (a, b) => a.reduce((s, v, i) => s + v * b[i], 0);
function broadcastTo(x, shape) {
	const strides = broadcastStrides(x.shape, shape);
	return gatherBy(x, shape, (index) => dot(index, strides));
}
function zip(f) {
	return ([a, b]) => {
		const shape = broadcastShapes(a.shape, b.shape);
		const [x, y] = [broadcastTo(a, shape), broadcastTo(b, shape)];
		return nd(shape, x.data.map((v, i) => f(v, y.data[i])));
	};
}
/** Folds the listed axes (kept as size 1). */
function reduce(x, axes, init, f) {
	const out = nd(x.shape.map((d, i) => axes.includes(i) ? 1 : d));
	out.data.fill(init);
	const strides = broadcastStrides(out.shape, x.shape);
	forEachIndex(x.shape, (flat, index) => {
		const o = dot(index, strides);
		out.data[o] = f(out.data[o], x.data[flat]);
	});
	return out;
}
function transpose$2(x, perm) {
	const strides = stridesOf(x.shape);
	return gatherBy(x, perm.map((p) => x.shape[p]), (index) => index.reduce((s, v, i) => s + v * strides[perm[i]], 0));
}
/** c = a · b for one pair of row-major matrices, written into out at offset. */
function matmulInto(a, aAt, b, bAt, out, at, m, k, n) {
	for (let i = 0; i < m; i++) for (let p = 0; p < k; p++) {
		const v = a[aAt + i * k + p];
		for (let j = 0; j < n; j++) out[at + i * n + j] += v * b[bAt + p * n + j];
	}
}
//#endregion
//#region src/ops/activation.ts
/** x above zero, alpha·x below (Maas et al. 2013). */
defineOp("LeakyRelu", {
	type: ([x]) => x,
	vjp: ({ x: [x], dy, attrs: { alpha } }) => [x.less(0).where(dy.mul(alpha), dy)],
	evaluate: ([x], { alpha }) => map(x, (v) => v < 0 ? alpha * v : v),
	check: [{
		x: [[3, 4]],
		attrs: { alpha: .1 }
	}]
});
/** x above zero, alpha·(exp(x) - 1) below (Clevert et al. 2015). */
defineOp("Elu", {
	type: ([x]) => x,
	vjp: ({ x: [x], y: [y], dy, attrs: { alpha } }) => [x.less(0).where(dy.mul(y.add(alpha)), dy)],
	evaluate: ([x], { alpha }) => map(x, (v) => v < 0 ? alpha * Math.expm1(v) : v),
	check: [{
		x: [[3, 4]],
		attrs: { alpha: .7 }
	}]
});
/** x above zero, slope·x below; the slope broadcasts (He et al. 2015). */
defineOp("PRelu", {
	type: ([x]) => x,
	vjp: ({ x: [x, slope], dy }) => {
		const below = x.less(0);
		return [below.where(dy.mul(slope), dy), below.where(dy.mul(x), 0).sumTo(slope.shape)];
	},
	evaluate: (x) => zip((v, s) => v < 0 ? s * v : v)(x),
	check: [{ x: [[
		2,
		3,
		2,
		2
	], [
		3,
		1,
		1
	]] }, { x: [[3, 4], [1]] }]
});
//#endregion
//#region src/ops/blocked.ts
/**
* Operators of onnxruntime's own layout for convolutions on processors: images [N, C, H, W] lie in memory as
* [N, C / B, H, W, B], where B, the channels of a vector register, depends on the processor. Shapes stay those of the plain
* layout. Never exported: the pass "blocked-convolutions" writes them for the machine that runs them.
*/
const DOMAIN = "com.microsoft.nchwc";
/** Memory order of plain element i of a [rows, C, pixels] image: [rows, C / B, pixels, B]. */
function blockedIndex(shape, block) {
	const pixels = sizeOf(shape.slice(2));
	return (i) => {
		const channel = Math.floor(i / pixels);
		return (Math.floor(channel / block) * pixels + i % pixels) * block + channel % block;
	};
}
function toBlocks({ shape, data }, block) {
	const at = blockedIndex(shape, block);
	const out = nd(shape);
	data.forEach((v, i) => {
		out.data[at(i)] = v;
	});
	return out;
}
function fromBlocks({ shape, data }, block) {
	const at = blockedIndex(shape, block);
	return nd(shape, data.map((_, i) => data[at(i)]));
}
/** Plain to blocked. */
defineOp("ReorderInput", {
	domain: DOMAIN,
	hostAttrs: ["block"],
	type: ([x]) => x,
	evaluate: ([x], { block }) => toBlocks(x, block),
	check: []
});
/** Blocked to plain. */
defineOp("ReorderOutput", {
	domain: DOMAIN,
	hostAttrs: ["block"],
	type: ([x]) => x,
	evaluate: ([x], { block }) => fromBlocks(x, block),
	check: []
});
/**
* Conv of a blocked image (of a plain one with fewer than B channels) to a blocked one. Weights [O, C/group, kH, kW] lie in
* memory as [O / B, C / B, kH, kW, B of C, B of O]; with plain images, or one channel a group, as [O / B, C, kH, kW, B].
*/
defineOp("BlockedConv", {
	domain: DOMAIN,
	onnxName: "Conv",
	hostAttrs: ["block"],
	type: (x, attrs) => opDef("Conv").type(x, attrs),
	evaluate: ([x, w, b], { block, ...attrs }, types) => {
		const image = x.shape[1] < block ? x : fromBlocks(x, block);
		return toBlocks(opDef("Conv").evaluate([
			image,
			plainWeights(w, block, x.shape[1] < block),
			b
		], attrs, types), block);
	},
	macs: (x, attrs, y) => opDef("Conv").macs?.(x, attrs, y) ?? 0,
	check: []
});
function plainWeights(w, block, plainImage) {
	const [, c, kh, kw] = w.shape;
	const inner = c === 1 || plainImage ? 1 : block;
	const [outer, taps] = [c / inner, kh * kw];
	const out = nd(w.shape);
	for (let i = 0; i < out.data.length; i++) {
		const [oi, ci, q] = [
			Math.floor(i / (c * taps)),
			Math.floor(i / taps) % c,
			i % taps
		];
		const row = (Math.floor(oi / block) * outer + Math.floor(ci / inner)) * taps + q;
		out.data[i] = w.data[(row * inner + ci % inner) * block + oi % block];
	}
	return out;
}
/** Whole blocks of channels stay together when images [N, C, H, W] are read as [1, N·C, H, W]: reordered once for both. */
function reorderInput(x, block) {
	const source = x.node.op === "Reshape" ? x.node.inputs[0] : x;
	const [, c, h, w] = source.shape;
	return apply("ReorderInput", [source.rank === 4 && c % block === 0 && h === x.shape[2] && w === x.shape[3] ? source : x], { block }).reshape(x.shape);
}
const reorderOutput = (x, block) => apply("ReorderOutput", [x], {
	block,
	channels: x.shape[1]
});
/** Plain weights in the order that BlockedConv reads. */
function blockedWeights(w, block, plainImage) {
	const [o, c, kh, kw] = w.shape;
	if (c === 1 && !plainImage) return reorderInput(w.reshape([
		1,
		o,
		kh,
		kw
	]), block).reshape(w.shape);
	const inner = plainImage ? 1 : block;
	return w.reshape([
		o / block,
		block,
		c / inner,
		inner,
		kh * kw
	]).transpose([
		0,
		2,
		4,
		3,
		1
	]).reshape(w.shape);
}
/** Images [N, C, H, W] to [N, O, h, w], both plain, convolved in blocks. */
function convInBlocks(x, w, bias, attrs, block) {
	const plainImage = x.shape[1] < block;
	const inputs = [
		plainImage ? x : reorderInput(x, block),
		blockedWeights(w, block, plainImage),
		bias
	];
	return reorderOutput(apply("BlockedConv", bias ? inputs : inputs.slice(0, 2), {
		...attrs,
		block
	}), block);
}
//#endregion
//#region src/ops/window.ts
const windowOf$1 = (kernel, attrs) => ({
	kernel: [kernel[0], kernel[1]],
	strides: attrs.strides ?? [1, 1],
	pads: attrs.pads ?? [
		0,
		0,
		0,
		0
	],
	dilations: attrs.dilations ?? [1, 1],
	ceil: Boolean(attrs.ceil_mode)
});
/** Pixels from the first to the last tap of a window along axis i, both included: dilation·(k - 1) + 1. */
const extent = ({ kernel, dilations }, i) => dilations[i] * (kernel[i] - 1) + 1;
/**
* Windows along axis i: floor((size + pads - extent) / stride) + 1. Rounding up instead adds the window that
* the image ends in, but never one that starts in the padding after it.
*/
function windowsAlong(size, i, window) {
	const { strides, pads, ceil } = window;
	const room = size + pads[i] + pads[i + 2] - extent(window, i);
	if (!ceil) return Math.floor(room / strides[i]) + 1;
	const n = Math.ceil(room / strides[i]) + 1;
	return (n - 1) * strides[i] >= size + pads[i] ? n - 1 : n;
}
/** [h, w]: how many windows an image [N, C, H, W] has. */
function windowCounts(x, window) {
	const [h, w] = [windowsAlong(x[2], 0, window), windowsAlong(x[3], 1, window)];
	if (h < 1 || w < 1) throw new TesseraeError("shape", `a window of ${window.kernel.join("x")} does not fit images ${showShape(x)}`);
	return [h, w];
}
//#endregion
//#region src/ops/conv-grad.ts
/**
* At stride 1 a convolution again. At larger strides ConvTranspose: 0.7-1.0 of the time of one convolution per phase
* with the phases interleaved, 0.3-0.8 of that of a convolution over dY with zeros between.
*/
const inputGrad = (x, w, dy, window) => {
	if (isTiling(x, window)) return tilesInputGrad(x, w, dy, window);
	return window.strides.every((s) => s === 1) ? flippedConv(x, w, dy, window) : convTranspose$1(x, w, dy, window);
};
/** Maps of at least this many pixels are multiplied image by image: each image fills the cores and fits the cache. */
const LARGE_MAP = 400;
const weightGrad = (x, w, dy, window) => chooseWeightGrad(x.shape, w, dy.shape, window)(x, w, dy, window);
function chooseWeightGrad(x, w, dy, window) {
	const { group, strides, kernel } = window;
	if (isTiling(x, window)) return tilesWeightGrad;
	if (group > 1) return group === w[0] && w[1] === 1 ? depthwise : productPerTapAndGroup;
	if (w[1] <= 4) return exchangedConv;
	if (kernel[0] * kernel[1] === 1 && strides.some((s) => s > 1)) return pointwise;
	return strides.every((s) => s === 1) && dy[2] * dy[3] >= LARGE_MAP ? shiftedStacks : productPerTap;
}
/** dX = conv(dY, w flipped and its channels exchanged). */
const flippedConv = (x, w, dy, window) => {
	const { pads, dilations, group } = window;
	const before = [0, 1].map((i) => extent(window, i) - 1 - pads[i]);
	const after = [0, 1].map((i) => x[i + 2] + extent(window, i) - 1 - before[i] - dy.shape[i + 2]);
	const positive = [...before, ...after].map((p) => Math.max(p, 0));
	return cropped(dy, before, after).conv(adjoint(w, group), void 0, {
		pads: positive,
		dilations,
		group
	});
};
/** Negative pads as slices. */
const cropped = (x, before, after) => [0, 1].reduce((t, i) => t.slice(i + 2, Math.max(-before[i], 0), t.shape[i + 2] + Math.min(after[i], 0)), x);
/** Weights [O, C/g, kH, kW] as [C, O/g, kH, kW], flipped along both spatial axes. */
function adjoint(w, group) {
	const [o, c, kh, kw] = w.shape;
	return flip(flip(w.reshape([
		group,
		o / group,
		c,
		kh,
		kw
	]).transpose([
		0,
		2,
		1,
		3,
		4
	]).reshape([
		group * c,
		o / group,
		kh,
		kw
	]), 2), 3);
}
const flip = (x, axis) => x.shape[axis] === 1 ? x : x.slice(axis, x.shape[axis] - 1, -(2 ** 40), -1);
/** dX = convTranspose(dY, w), with the pixels after the last window that none saw as output padding. */
const convTranspose$1 = (x, w, dy, window) => {
	const { strides, pads, dilations, group } = window;
	const output_padding = [0, 1].map((i) => x[i + 2] + pads[i] + pads[i + 2] - extent(window, i) - strides[i] * (dy.shape[i + 2] - 1));
	return apply("ConvTranspose", [dy, w], {
		strides,
		pads,
		dilations,
		group,
		output_padding
	});
};
/** dW[:, :, q] = dY · (x as tap q sees it)ᵀ with the batch inside the product: one Gemm for each tap. */
const productPerTap = (x, w, dy, window) => {
	const [o, c] = w;
	const d = channelsFirst(dy).reshape([o, dy.size / o]);
	return concat(tapViews(channelsFirst(x), window).map((view) => d.gemm(view.reshape([c, dy.size / o]), void 0, { transB: 1 }).reshape([o * c, 1])), 1).reshape(w);
};
/** A 1x1 kernel sees only every s-th pixel: those first, then as at stride 1. */
const pointwise = (x, w, dy, window) => weightGrad(tapViews(x, window)[0], w, dy, {
	...window,
	strides: [1, 1],
	pads: [
		0,
		0,
		0,
		0
	]
});
/**
* At stride 1, moving x up by q rows is moving dY down by q rows. So with x stacked kW times, each moved by columns, and
* dY kH times, each moved by rows, one product for each image holds all taps: [kH·O, H·v] · [kW·C, H·v]ᵀ, summed over n.
*/
const shiftedStacks = (x, w, dy, window) => {
	const { kernel, dilations } = window;
	const [n, o, h, v] = dy.shape;
	const c = w[1];
	const padded = padToWindows(x, window);
	const H = padded.shape[2];
	const columns = range$1(kernel[1]).map((r) => padded.slice(3, r * dilations[1], r * dilations[1] + v));
	const rows = range$1(kernel[0]).map((q) => padSpatial(dy, [q * dilations[0], H - h - q * dilations[0]], [0, 0]));
	const xs = concat(columns, 1).reshape([
		n,
		kernel[1] * c,
		H * v
	]);
	return concat(rows, 1).reshape([
		n,
		kernel[0] * o,
		H * v
	]).matmul(xs.mT()).sum([0]).reshape([
		kernel[0],
		o,
		kernel[1],
		c
	]).transpose([
		1,
		3,
		0,
		2
	]);
};
/** dW = conv(x, dY) with batch and channel exchanged in all three, strides and dilations too. */
const exchangedConv = (x, _w, dy, window) => {
	const { strides, dilations, pads } = window;
	const after = paddingAfter(x.shape, window);
	return channelsFirst(channelsFirst(cropped(x, [0, 0], after)).conv(channelsFirst(dy), void 0, {
		strides: dilations,
		dilations: strides,
		pads: [
			pads[0],
			pads[1],
			...after.map((p) => Math.max(p, 0))
		]
	}));
};
/** One channel a group: an operator of its own, since the best formulation depends on the layouts that the runtime has. */
const depthwise = (x, _w, dy, { kernel, strides, pads, dilations }) => apply("DepthwiseWeightGrad", [x, dy], {
	kernel_shape: kernel,
	strides,
	pads,
	dilations
});
/**
* One channel a group: dY is the kernel of a depthwise convolution over N·C images of one channel, with strides and dilations
* exchanged; then the sum over n. The fewest products possible; in blocked layout 0.1-0.4 of the time of `rowBlocks`.
*/
const convPerImage = (x, w, dy, window, convolve) => {
	const { kernel, strides, dilations, pads } = window;
	const after = paddingAfter(x.shape, window);
	const seen = cropped(x, [0, 0], after);
	const group = x.shape[0] * x.shape[1];
	return convolve(seen.reshape([
		1,
		group,
		...seen.shape.slice(2)
	]), dy.reshape([
		group,
		1,
		...dy.shape.slice(2)
	]), {
		strides: dilations,
		dilations: strides,
		pads: [
			pads[0],
			pads[1],
			...after.map((p) => Math.max(p, 0))
		],
		group
	}).reshape([...x.shape.slice(0, 2), ...kernel]).sum([0]).reshape(w);
};
/** dW[:, :, q] = Σ_n dY[n] · (x[n] as tap q sees it)ᵀ: a product for each tap, image and group. */
const productPerTapAndGroup = (x, w, dy, window) => {
	const { group } = window;
	const [n, o, h, v] = dy.shape;
	const c = w[1];
	const d = dy.reshape([
		n,
		group,
		o / group,
		h * v
	]);
	return concat(tapViews(x, window).map((view) => {
		return d.matmul(view.reshape([
			n,
			group,
			c,
			h * v
		]).mT()).sum([0]).reshape([o * c, 1]);
	}), 1).reshape(w);
};
/**
* One channel a group (depthwise): blocks of r rows of dY [N·blocks, r·v] meet the R rows [N·blocks, R·W] of x that their
* windows touch in one product for each channel, P[c, a, b, y, z] = Σ_blocks dY[a, b] · x[y, z], of which
*
*   dW[c, q, t] = Σ_{a, b} P[c, a, b, s·a + d·q, s·b + d·t].
*
* For runtimes without a blocked layout. Wasteful in arithmetic, but the products run at full speed: against grouped Conv, 0.3 of the time at
* 9x9, half at 3x3, no less at 3x3 with stride 2; against shift, multiply, sum 0.06-0.6.
*/
const rowBlocks = (x, w, dy, window) => {
	const { kernel, strides, dilations } = window;
	const [n, c, h, v] = dy.shape;
	const r = Math.min(h, kernel[0] >= 5 ? 4 : 2);
	const blocks = Math.ceil(h / r);
	const R = (r - 1) * strides[0] + extent(window, 0);
	const padded = padToWindows(x, window);
	const missing = (blocks - 1) * r * strides[0] + R - padded.shape[2];
	const image = channelsFirst(padSpatial(padded, [0, Math.max(missing, 0)], [0, 0]));
	const W = image.shape[3];
	const touched = range$1(blocks).flatMap((block) => range$1(R).map((y) => block * r * strides[0] + y));
	const xs = image.gather(constant(touched, [touched.length], "int64"), 2).reshape([
		c,
		n * blocks,
		R * W
	]);
	const sums = diagonalSums(channelsFirst(padSpatial(dy, [0, blocks * r - h], [0, 0])).reshape([
		c,
		n * blocks,
		r * v
	]).mT().matmul(xs).reshape([
		c * r,
		v,
		R * W
	]), strides[1]);
	const places = range$1(r).flatMap((a) => range$1(kernel[0]).flatMap((q) => range$1(kernel[1]).map((t) => a * sums.shape[1] + (a * strides[0] + q * dilations[0]) * W + t * dilations[1])));
	return sums.reshape([c, r * sums.shape[1]]).gather(constant(places, [places.length], "int64"), 1).reshape([
		c,
		r,
		kernel[0] * kernel[1]
	]).sum([1]).reshape(w);
};
/** Σ_b p[:, b, j + s·b]: rows of p laid end to end and read again with rows longer by s. */
function diagonalSums(p, s) {
	const [m, rows, n] = p.shape;
	return p.reshape([m, rows * n]).pad([[0, 0], [0, rows * s]]).reshape([
		m,
		rows,
		n + s
	]).sum([1]);
}
const isTiling = (x, { kernel, strides, pads, dilations, group }) => group === 1 && kernel[0] * kernel[1] > 1 && kernel.every((k, i) => strides[i] === k && x[i + 2] % k === 0 && dilations[i] === 1) && pads.every((p) => p === 0);
const rowsOf = (dy) => dy.transpose([
	0,
	2,
	3,
	1
]).reshape([dy.size / dy.shape[1], dy.shape[1]]);
const tilesInputGrad = (x, w, dy) => {
	const [o, c, kh, kw] = w.shape;
	const [n, , h, v] = dy.shape;
	return rowsOf(dy).gemm(w.reshape([o, c * kh * kw])).reshape([
		n,
		h,
		v,
		c,
		kh,
		kw
	]).transpose([
		0,
		3,
		1,
		4,
		2,
		5
	]).reshape(x);
};
const tilesWeightGrad = (x, w, dy) => {
	const [, c, kh, kw] = w;
	const [n, , h, v] = dy.shape;
	const patches = x.reshape([
		n,
		c,
		h,
		kh,
		v,
		kw
	]).transpose([
		0,
		2,
		4,
		1,
		3,
		5
	]).reshape([n * h * v, c * kh * kw]);
	return rowsOf(dy).gemm(patches, void 0, { transA: 1 }).reshape(w);
};
const range$1 = (n) => [...Array(n).keys()];
const channelsFirst = (x) => x.transpose([
	1,
	0,
	2,
	3
]);
const padSpatial = (x, rows, columns) => x.pad([
	[0, 0],
	[0, 0],
	rows,
	columns
]);
/** What each tap of the kernel sees of x [a, b, H, W]: kH·kW images [a, b, h, v], row by row of the kernel. */
function tapViews(x, window) {
	const { kernel, strides, dilations } = window;
	const counts = windowCounts(x.shape, window);
	const padded = padToWindows(x, window);
	const reach = counts.map((n, i) => (n - 1) * strides[i] + 1);
	return range$1(kernel[0]).flatMap((q) => range$1(kernel[1]).map((t) => {
		const starts = [q * dilations[0], t * dilations[1]];
		const ends = starts.map((start, i) => start + reach[i]);
		return apply("Slice", [padded], {
			starts,
			ends,
			axes: [2, 3],
			steps: strides
		});
	}));
}
/** Pixels that the last window reaches past the end of each axis; negative for pixels that no window reaches. */
const paddingAfter = (x, window) => windowCounts(x, window).map((n, i) => (n - 1) * window.strides[i] + extent(window, i) - window.pads[i] - x[i + 2]);
/** Zeros around x as far as windows reach; pixels that no window reaches stay. */
function padToWindows(x, window) {
	const [bottom, right] = paddingAfter(x.shape, window).map((p) => Math.max(p, 0));
	return padSpatial(x, [window.pads[0], bottom], [window.pads[1], right]);
}
//#endregion
//#region src/ops/conv.ts
const convWindow = (w, attrs) => ({
	...windowOf$1(w.slice(2), attrs),
	group: attrs.group ?? 1
});
function convShape(x, w, window) {
	if (x.length !== 4 || w.length !== 4 || x[1] !== w[1] * window.group || w[0] % window.group) throw new TesseraeError("shape", `Conv of images ${showShape(x)} with weights ${showShape(w)}, ${window.group} groups`);
	return [
		x[0],
		w[0],
		...windowCounts(x, window)
	];
}
/** Convolution of images [N, C, H, W] with weights [O, C/group, kH, kW]. */
defineOp("Conv", {
	type: ([x, w], attrs) => ({
		dtype: x.dtype,
		shape: convShape(x.shape, w.shape, convWindow(w.shape, attrs))
	}),
	vjp: ({ x: [x, w, b], dy, attrs }) => {
		const window = convWindow(w.shape, attrs);
		return [
			inputGrad(x.shape, w, dy, window),
			weightGrad(x, w.shape, dy, window),
			b && dy.sum([
				0,
				2,
				3
			])
		];
	},
	evaluate: ([x, w, b], attrs) => {
		const window = convWindow(w.shape, attrs);
		const { strides, pads, dilations, group } = window;
		const shape = convShape(x.shape, w.shape, window);
		const [, cg, kh, kw] = w.shape;
		const [, , H, W] = x.shape;
		const [xs, ws] = [stridesOf(x.shape), stridesOf(w.shape)];
		const out = nd(shape);
		forEachIndex(shape, (flat, [n, o, i, j]) => {
			let sum = b?.data[o] ?? 0;
			const c0 = Math.floor(o / (shape[1] / group)) * cg;
			for (let c = 0; c < cg; c++) for (let p = 0; p < kh; p++) for (let q = 0; q < kw; q++) {
				const y = i * strides[0] + p * dilations[0] - pads[0];
				const z = j * strides[1] + q * dilations[1] - pads[1];
				if (y < 0 || z < 0 || y >= H || z >= W) continue;
				sum += x.data[dot([
					n,
					c0 + c,
					y,
					z
				], xs)] * w.data[dot([
					o,
					c,
					p,
					q
				], ws)];
			}
			out.data[flat] = sum;
		});
		return out;
	},
	macs: ([, w], _attrs, [y]) => sizeOf(y.shape) * sizeOf(w.shape.slice(1)),
	blocked: ([x, w, b], attrs, block) => fasterInBlocks(x.shape, w.shape, attrs, block) ? convInBlocks(x, w, b, attrs, block) : void 0,
	check: [
		{
			x: [
				[
					2,
					3,
					4,
					6
				],
				[
					5,
					3,
					2,
					2
				],
				[5]
			],
			attrs: { strides: [2, 2] }
		},
		{
			x: [[
				2,
				3,
				5,
				6
			], [
				5,
				3,
				2,
				2
			]],
			attrs: { strides: [2, 2] }
		},
		{ x: [
			[
				2,
				3,
				4,
				5
			],
			[
				4,
				3,
				1,
				1
			],
			[4]
		] },
		{
			x: [[
				2,
				3,
				5,
				4
			], [
				4,
				3,
				1,
				1
			]],
			attrs: { strides: [2, 2] }
		},
		{
			x: [
				[
					2,
					2,
					5,
					4
				],
				[
					3,
					2,
					3,
					3
				],
				[3]
			],
			attrs: { pads: [
				1,
				1,
				1,
				1
			] }
		},
		{ x: [[
			2,
			2,
			5,
			4
		], [
			3,
			2,
			3,
			3
		]] },
		{
			x: [
				[
					2,
					2,
					6,
					5
				],
				[
					3,
					2,
					3,
					3
				],
				[3]
			],
			attrs: {
				strides: [2, 2],
				pads: [
					1,
					1,
					1,
					1
				]
			}
		},
		{
			x: [[
				2,
				2,
				6,
				6
			], [
				3,
				2,
				3,
				3
			]],
			attrs: {
				strides: [2, 2],
				pads: [
					0,
					0,
					1,
					1
				]
			}
		},
		{
			x: [[
				2,
				2,
				5,
				7
			], [
				3,
				2,
				3,
				2
			]],
			attrs: {
				strides: [2, 3],
				pads: [
					2,
					0,
					1,
					1
				]
			}
		},
		{
			x: [[
				1,
				1,
				3,
				3
			], [
				2,
				1,
				2,
				2
			]],
			attrs: { pads: [
				3,
				2,
				2,
				3
			] }
		},
		{
			x: [[
				1,
				2,
				9,
				8
			], [
				2,
				2,
				7,
				7
			]],
			attrs: {
				strides: [4, 4],
				pads: [
					3,
					3,
					3,
					3
				]
			}
		},
		{
			x: [[
				2,
				2,
				6,
				5
			], [
				3,
				2,
				3,
				2
			]],
			attrs: {
				dilations: [2, 3],
				pads: [
					2,
					1,
					2,
					2
				]
			}
		},
		{
			x: [[
				1,
				2,
				7,
				9
			], [
				2,
				2,
				3,
				3
			]],
			attrs: {
				strides: [2, 2],
				dilations: [2, 3],
				pads: [
					2,
					3,
					2,
					3
				]
			}
		},
		{
			x: [[
				1,
				2,
				9,
				9
			], [
				2,
				2,
				2,
				3
			]],
			attrs: {
				strides: [4, 3],
				dilations: [6, 2],
				pads: [
					2,
					1,
					1,
					2
				]
			}
		},
		{
			x: [
				[
					2,
					4,
					4,
					5
				],
				[
					6,
					2,
					3,
					3
				],
				[6]
			],
			attrs: {
				pads: [
					1,
					1,
					1,
					1
				],
				group: 2
			}
		},
		{
			x: [[
				2,
				4,
				5,
				6
			], [
				6,
				2,
				3,
				3
			]],
			attrs: {
				strides: [2, 2],
				pads: [
					0,
					1,
					1,
					0
				],
				group: 2
			}
		},
		{
			x: [
				[
					2,
					3,
					5,
					4
				],
				[
					3,
					1,
					3,
					3
				],
				[3]
			],
			attrs: {
				pads: [
					1,
					1,
					1,
					1
				],
				group: 3
			}
		},
		{
			x: [[
				2,
				3,
				6,
				5
			], [
				3,
				1,
				3,
				3
			]],
			attrs: {
				strides: [2, 2],
				pads: [
					1,
					1,
					1,
					1
				],
				group: 3
			}
		},
		{
			x: [[
				2,
				3,
				6,
				6
			], [
				3,
				1,
				5,
				5
			]],
			attrs: {
				strides: [2, 2],
				pads: [
					1,
					1,
					2,
					2
				],
				group: 3
			}
		},
		{
			x: [[
				2,
				2,
				5,
				6
			], [
				2,
				1,
				4,
				2
			]],
			attrs: {
				pads: [
					1,
					0,
					2,
					1
				],
				group: 2
			}
		},
		{
			x: [[
				2,
				2,
				6,
				7
			], [
				2,
				1,
				3,
				3
			]],
			attrs: {
				dilations: [2, 2],
				pads: [
					2,
					2,
					2,
					2
				],
				group: 2
			}
		},
		{
			x: [[
				2,
				2,
				5,
				4
			], [
				4,
				1,
				3,
				3
			]],
			attrs: {
				pads: [
					1,
					1,
					1,
					1
				],
				group: 2
			}
		}
	]
});
/**
* Depthwise in blocks takes 0.1-0.5 of the time, reordering included; a dense kernel 0.8-1. A dense 1x1 is one product
* for each image as it is, and reordering would cost more than it wins.
*/
function fasterInBlocks(x, w, { group = 1 }, block) {
	const [o, c, kh, kw] = w;
	if (o % block || kh * kw === 1 || x.some((d) => d < 0)) return false;
	return group === 1 ? c % block === 0 : group === o && c === 1;
}
/**
* Gradient of a depthwise convolution in its weights: images x [N, C, H, W] and cotangents dY [N, C, h, v] to [C, 1, kH, kW],
*
*   dW[c, q, t] = Σ_{n, i, j} dY[n, c, i, j] · x[n, c, s·i + d·q - p, s·j + d·t - p].
*/
defineOp("DepthwiseWeightGrad", {
	type: ([x], { kernel_shape }) => ({
		dtype: x.dtype,
		shape: [
			x.shape[1],
			1,
			...kernel_shape
		]
	}),
	vjp: ({ x: [x, dy], dy: v, attrs: { kernel_shape: _, ...conv } }) => {
		const group = x.shape[1];
		const window = convWindow(v.shape, {
			...conv,
			group
		});
		return [inputGrad(x.shape, v, dy, window), x.conv(v, void 0, {
			...conv,
			group
		})];
	},
	decompose: ([x, dy], attrs) => rowBlocks(x, gradShape(x, attrs), dy, gradWindow(x, attrs)),
	blocked: ([x, dy], attrs, block) => x.shape[0] * x.shape[1] % block ? void 0 : convPerImage(x, gradShape(x, attrs), dy, gradWindow(x, attrs), (images, kernels, conv) => convInBlocks(images, kernels, void 0, conv, block)),
	evaluate: ([x, dy], { kernel_shape, strides = [1, 1], pads = [
		0,
		0,
		0,
		0
	], dilations = [1, 1] }) => {
		const [N, C, H, W] = x.shape;
		const [xs, ds] = [stridesOf(x.shape), stridesOf(dy.shape)];
		const out = nd([
			C,
			1,
			...kernel_shape
		]);
		forEachIndex(out.shape, (flat, [c, , q, t]) => {
			let sum = 0;
			forEachIndex([N, ...dy.shape.slice(2)], (_flat, [n, i, j]) => {
				const y = i * strides[0] + q * dilations[0] - pads[0];
				const z = j * strides[1] + t * dilations[1] - pads[1];
				if (y >= 0 && z >= 0 && y < H && z < W) sum += x.data[dot([
					n,
					c,
					y,
					z
				], xs)] * dy.data[dot([
					n,
					c,
					i,
					j
				], ds)];
			});
			out.data[flat] = sum;
		});
		return out;
	},
	macs: ([, dy], { kernel_shape }) => sizeOf(dy.shape) * sizeOf(kernel_shape),
	check: [{
		x: [[
			2,
			3,
			5,
			4
		], [
			2,
			3,
			5,
			4
		]],
		attrs: {
			kernel_shape: [3, 3],
			pads: [
				1,
				1,
				1,
				1
			]
		}
	}, {
		x: [[
			2,
			3,
			6,
			7
		], [
			2,
			3,
			3,
			3
		]],
		attrs: {
			kernel_shape: [3, 2],
			strides: [2, 2],
			pads: [
				1,
				0,
				0,
				0
			]
		}
	}]
});
const gradShape = (x, { kernel_shape }) => [
	x.shape[1],
	1,
	...kernel_shape
];
const gradWindow = (x, attrs) => convWindow(gradShape(x, attrs), {
	...attrs,
	group: x.shape[1]
});
/** Output size of the convolution's adjoint: stride·(size - 1) + extent - pads + output padding. */
function transposedShape(x, w, attrs) {
	const window = convWindow(w, attrs);
	const { output_padding = [0, 0] } = attrs;
	if (x.length !== 4 || w.length !== 4 || x[1] !== w[0] || w[0] % window.group) throw new TesseraeError("shape", `ConvTranspose of ${showShape(x)} with weights ${showShape(w)}`);
	const [H, W] = [0, 1].map((i) => window.strides[i] * (x[i + 2] - 1) + extent(window, i) - window.pads[i] - window.pads[i + 2] + output_padding[i]);
	return [
		x[0],
		w[1] * window.group,
		H,
		W
	];
}
/** The adjoint of Conv in its images: images [N, O, h, w] and weights [O, C/group, kH, kW] to [N, C, H, W]. */
defineOp("ConvTranspose", {
	type: ([x, w], attrs) => ({
		dtype: x.dtype,
		shape: transposedShape(x.shape, w.shape, attrs)
	}),
	vjp: ({ x: [x, w, b], dy, attrs }) => {
		const { output_padding: _, ...conv } = attrs;
		return [
			dy.conv(w, void 0, conv),
			weightGrad(dy, w.shape, x, convWindow(w.shape, attrs)),
			b && dy.sum([
				0,
				2,
				3
			])
		];
	},
	evaluate: ([x, w, b], attrs) => {
		const { strides, pads, dilations, group } = convWindow(w.shape, attrs);
		const out = nd(transposedShape(x.shape, w.shape, attrs));
		const [, C, H, W] = out.shape;
		const [xs, ws, os] = [
			stridesOf(x.shape),
			stridesOf(w.shape),
			stridesOf(out.shape)
		];
		if (b) forEachIndex(out.shape, (flat, [, c]) => out.data[flat] = b.data[c]);
		const [perIn, perOut] = [x.shape[1] / group, C / group];
		forEachIndex(x.shape, (_flat, [n, o, i, j]) => {
			const v = x.data[dot([
				n,
				o,
				i,
				j
			], xs)];
			forEachIndex(w.shape.slice(1), (_tap, [c, p, q]) => {
				const y = i * strides[0] + p * dilations[0] - pads[0];
				const z = j * strides[1] + q * dilations[1] - pads[1];
				if (y < 0 || z < 0 || y >= H || z >= W) return;
				out.data[dot([
					n,
					Math.floor(o / perIn) * perOut + c,
					y,
					z
				], os)] += v * w.data[dot([
					o,
					c,
					p,
					q
				], ws)];
			});
		});
		return out;
	},
	macs: ([x, w]) => sizeOf(x.shape) * sizeOf(w.shape.slice(1)),
	check: [
		{
			x: [
				[
					2,
					3,
					2,
					3
				],
				[
					3,
					2,
					3,
					3
				],
				[2]
			],
			attrs: {
				strides: [2, 2],
				pads: [
					1,
					1,
					1,
					1
				],
				output_padding: [1, 0]
			}
		},
		{
			x: [[
				1,
				4,
				3,
				2
			], [
				4,
				1,
				2,
				3
			]],
			attrs: {
				strides: [3, 2],
				pads: [
					0,
					1,
					1,
					0
				],
				group: 2
			}
		},
		{
			x: [[
				1,
				2,
				3,
				3
			], [
				2,
				2,
				2,
				2
			]],
			attrs: {
				strides: [2, 1],
				dilations: [2, 3],
				pads: [
					1,
					0,
					0,
					2
				]
			}
		}
	]
});
//#endregion
//#region src/ops/special.ts
/**
* Error function to double precision: the Maclaurin series below 2.5, the continued fraction of erfc above
* (Abramowitz and Stegun 7.1.6 and 7.1.14).
*/
function erf(x) {
	const a = Math.abs(x);
	if (a > 6) return Math.sign(x);
	if (a < 2.5) {
		let term = a;
		let sum = a;
		for (let n = 1; term > sum * 1e-17; n++) {
			term *= 2 * a * a / (2 * n + 1);
			sum += term;
		}
		return Math.sign(x) * 2 * sum * Math.exp(-a * a) / Math.sqrt(Math.PI);
	}
	let fraction = 0;
	for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
	return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}
//#endregion
//#region src/ops/elementwise.ts
/** The nearest integer; of two, the even one. */
function roundToEven(v) {
	const low = Math.floor(v);
	return v - low === .5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(v);
}
const none = (x) => zerosLike(x);
const UNARY = {
	Neg: {
		f: (v) => -v,
		grad: (_x, _y, dy) => dy.neg()
	},
	Abs: {
		f: Math.abs,
		grad: (x, _y, dy) => dy.mul(x.sign())
	},
	Sign: {
		f: Math.sign,
		grad: none
	},
	Floor: {
		f: Math.floor,
		grad: none,
		range: [.1, .9]
	},
	Ceil: {
		f: Math.ceil,
		grad: none,
		range: [.1, .9]
	},
	Round: {
		f: roundToEven,
		grad: none,
		range: [.6, 1.4]
	},
	Exp: {
		f: Math.exp,
		grad: (_x, y, dy) => dy.mul(y)
	},
	Log: {
		f: Math.log,
		grad: (x, _y, dy) => dy.div(x),
		range: [.2, 2]
	},
	Sqrt: {
		f: Math.sqrt,
		grad: (_x, y, dy) => dy.div(y.mul(2)),
		range: [.2, 2]
	},
	Reciprocal: {
		f: (v) => 1 / v,
		grad: (_x, y, dy) => dy.mul(y).mul(y).neg(),
		range: [.4, 2]
	},
	Sin: {
		f: Math.sin,
		grad: (x, _y, dy) => dy.mul(x.cos())
	},
	Cos: {
		f: Math.cos,
		grad: (x, _y, dy) => dy.mul(x.sin()).neg()
	},
	Tanh: {
		f: Math.tanh,
		grad: (_x, y, dy) => dy.sub(dy.mul(y).mul(y))
	},
	Erf: {
		f: erf,
		grad: (x, _y, dy) => dy.mul(x.mul(x).neg().exp().mul(2 / Math.sqrt(Math.PI)))
	},
	Sigmoid: {
		f: (v) => 1 / (1 + Math.exp(-v)),
		grad: (_x, y, dy) => dy.mul(y.sub(y.mul(y)))
	},
	Softplus: {
		f: (v) => Math.log1p(Math.exp(v)),
		grad: (x, _y, dy) => dy.mul(x.sigmoid())
	},
	Relu: {
		f: (v) => Math.max(v, 0),
		grad: (_x, y, dy) => y.greater(0).where(dy, 0)
	},
	HardSwish: {
		f: (v) => v * Math.min(1, Math.max(0, v / 6 + .5)),
		grad: (x, _y, dy) => dy.mul(x.less(-3).where(0, x.greater(3).where(1, x.mul(1 / 3).add(.5)))),
		range: [-5, 5]
	}
};
for (const [name, { f, grad, range }] of Object.entries(UNARY)) defineOp(name, {
	type: ([x]) => x,
	vjp: grad && (({ x: [x], y: [y], dy }) => [grad(x, y, dy)]),
	evaluate: ([x]) => map(x, f),
	check: [{
		x: [[3, 4]],
		range
	}, {
		x: [[
			2,
			1,
			3
		]],
		range
	}]
});
defineOp("HardSigmoid", {
	type: ([x]) => x,
	vjp: ({ y: [y], dy, attrs }) => [y.greater(0).and(y.less(1)).where(dy.mul(attrs.alpha), 0)],
	evaluate: ([x], { alpha, beta }) => map(x, (v) => Math.min(1, Math.max(0, alpha * v + beta))),
	check: [{
		x: [[3, 5]],
		range: [-5, 5],
		attrs: {
			alpha: 1 / 6,
			beta: .5
		}
	}]
});
/** 1 + erf(x/√2) = 2Φ(x): what GELU and its gradient share; the division is the form that the runtime's fusion knows. */
const twicePhi = (x) => x.div(Math.SQRT2).erf().add(1);
/** y = x · Φ(x) (Hendrycks and Gimpel 2016); of opset 20. */
defineOp("Gelu", {
	type: ([x]) => x,
	vjp: ({ x: [x], dy }) => {
		const bell = x.mul(x).mul(-.5).add(.5 * Math.log(2 / Math.PI)).exp();
		return [dy.mul(twicePhi(x).add(x.mul(bell))).mul(.5)];
	},
	evaluate: ([x]) => map(x, (v) => .5 * v * (1 + erf(v * Math.SQRT1_2))),
	decompose: ([x]) => x.mul(twicePhi(x)).mul(.5),
	check: [{
		x: [[3, 4]],
		range: [-3, 3]
	}]
});
const BINARY = {
	Add: {
		f: (a, b) => a + b,
		int32: (a, b) => a + b | 0,
		grad: ({ dy }) => [dy, dy]
	},
	Sub: {
		f: (a, b) => a - b,
		grad: ({ x: [, b], dy }) => [dy, dy.sumTo(b.shape).neg()]
	},
	Mul: {
		f: (a, b) => a * b,
		int32: Math.imul,
		grad: ({ x: [a, b], dy }) => [dy.mul(b), dy.mul(a)]
	},
	Div: {
		f: (a, b) => a / b,
		grad: ({ x: [, b], y: [y], dy }) => [dy.div(b), y.mul(dy.div(b)).neg()],
		range: [.4, 2]
	},
	Pow: {
		f: (a, b) => a ** b,
		grad: ({ x: [a, b], y: [y], dy }) => [dy.mul(b).mul(a.pow(b.sub(1))), dy.mul(y).mul(a.log())],
		range: [.4, 2]
	},
	Max: {
		f: Math.max,
		grad: ({ x: [a, b], dy }) => [a.less(b).where(0, dy), a.less(b).where(dy, 0)]
	},
	Min: {
		f: Math.min,
		grad: ({ x: [a, b], dy }) => [a.greater(b).where(0, dy), a.greater(b).where(dy, 0)]
	},
	Mod: {
		f: (a, b) => a - b * Math.floor(a / b),
		dtype: "int32",
		range: [1, 9]
	},
	Equal: {
		f: (a, b) => Number(a === b),
		out: "bool"
	},
	Greater: {
		f: (a, b) => Number(a > b),
		out: "bool"
	},
	GreaterOrEqual: {
		f: (a, b) => Number(a >= b),
		out: "bool"
	},
	Less: {
		f: (a, b) => Number(a < b),
		out: "bool"
	},
	LessOrEqual: {
		f: (a, b) => Number(a <= b),
		out: "bool"
	},
	And: {
		f: (a, b) => Number(a && b),
		out: "bool",
		dtype: "bool",
		range: [0, 1]
	},
	Or: {
		f: (a, b) => Number(a || b),
		out: "bool",
		dtype: "bool",
		range: [0, 1]
	},
	BitwiseXor: {
		f: (a, b) => (a ^ b) >>> 0,
		dtype: "uint32",
		range: [0, 2 ** 32]
	}
};
const PAIRS = [
	[[3, 4], [3, 4]],
	[[
		2,
		3,
		4
	], [4]],
	[[
		2,
		1,
		3
	], [4, 1]],
	[[3], []]
];
for (const [name, { f, int32, grad, range, out, dtype }] of Object.entries(BINARY)) defineOp(name, {
	type: ([a, b]) => ({
		dtype: out ?? a.dtype,
		shape: broadcastShapes(a.shape, b.shape)
	}),
	vjp: grad && ((c) => grad(c).map((d, i) => d.sumTo(c.x[i].shape))),
	evaluate: (x, _attrs, [{ dtype }]) => zip(dtype === "int32" ? int32 ?? f : f)(x),
	check: [...PAIRS.map((x) => ({
		x,
		range,
		dtypes: dtype && [dtype, dtype]
	})), ...int32 ? [{
		x: [[3, 4], [4]],
		range: [-(2 ** 31), 2 ** 31],
		dtypes: ["int32", "int32"]
	}] : []]
});
defineOp("BitShift", {
	type: ([a, b]) => ({
		dtype: a.dtype,
		shape: broadcastShapes(a.shape, b.shape)
	}),
	evaluate: (x, { direction }) => zip((a, b) => direction === "RIGHT" ? a >>> b : a << b >>> 0)(x),
	check: [{
		x: [[3, 4], {
			shape: [],
			data: Float64Array.of(13)
		}],
		attrs: { direction: "RIGHT" },
		range: [0, 2 ** 32],
		dtypes: ["uint32", "uint32"]
	}]
});
defineOp("Not", {
	type: ([x]) => x,
	evaluate: ([x]) => map(x, (v) => Number(!v)),
	check: [{
		x: [[3, 4]],
		range: [0, 2],
		dtypes: ["bool"]
	}]
});
for (const [name, f] of [["IsNaN", Number.isNaN], ["IsInf", (v) => Math.abs(v) === Infinity]]) defineOp(name, {
	type: ([x]) => ({
		dtype: "bool",
		shape: x.shape
	}),
	evaluate: ([x]) => map(x, (v) => Number(f(v))),
	check: [{ x: [{
		shape: [4],
		data: Float64Array.of(1, NaN, Infinity, -Infinity)
	}] }]
});
defineOp("Where", {
	type: ([c, a, b]) => ({
		dtype: a.dtype,
		shape: broadcastShapes(c.shape, a.shape, b.shape)
	}),
	vjp: ({ x: [c, a, b], dy }) => [
		void 0,
		c.where(dy, 0).sumTo(a.shape),
		c.where(0, dy).sumTo(b.shape)
	],
	evaluate: ([c, a, b]) => {
		const taken = zip((p, v) => p ? v : 0)([c, a]);
		const other = zip((p, v) => p ? 0 : v)([c, b]);
		return zip((p, q) => p + q)([taken, other]);
	},
	check: [{
		x: [
			[3, 4],
			[3, 4],
			[4]
		],
		dtypes: [
			"bool",
			"float32",
			"float32"
		]
	}, {
		x: [
			[3, 1],
			[],
			[
				2,
				1,
				4
			]
		],
		dtypes: [
			"bool",
			"float32",
			"float32"
		]
	}]
});
defineOp("Cast", {
	type: ([x], { to }) => ({
		dtype: to,
		shape: x.shape
	}),
	vjp: ({ x: [x], dy }) => [apply("Cast", [dy], { to: x.dtype })],
	evaluate: ([x], { to }, [type]) => map(x, castTo(to, type.dtype)),
	check: [
		{
			x: [[3, 4]],
			attrs: { to: "float32" }
		},
		{
			x: [[3, 4]],
			attrs: { to: "int32" },
			range: [-9, 9]
		},
		{
			x: [[3, 4]],
			attrs: { to: "int32" },
			range: [0, 2 ** 32],
			dtypes: ["uint32"]
		},
		{
			x: [[3, 4]],
			attrs: { to: "uint32" },
			range: [-(2 ** 31), 2 ** 31],
			dtypes: ["int32"]
		}
	]
});
/** Truncation towards zero; integers of 32 bits wrap, as the runtime's casts do. */
function castTo(to, from) {
	if (to === "bool") return (v) => Number(v !== 0);
	if (to.startsWith("float")) return (v) => v;
	if (from === "int32" || from === "uint32") {
		if (to === "int32") return (v) => v | 0;
		if (to === "uint32") return (v) => v >>> 0;
	}
	return Math.trunc;
}
//#endregion
//#region src/ops/linalg.ts
function matmulType([a, b]) {
	const [m, k] = a.shape.slice(-2);
	const [k2, n] = b.shape.slice(-2);
	if (a.shape.length < 2 || b.shape.length < 2 || k !== k2) throw new TesseraeError("shape", `MatMul of ${showShape(a.shape)} and ${showShape(b.shape)}: inner sizes differ`);
	return {
		dtype: a.dtype,
		shape: [
			...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2)),
			m,
			n
		]
	};
}
/** y = a · b, batched over the leading axes. */
defineOp("MatMul", {
	type: matmulType,
	vjp: ({ x: [a, b], dy }) => [dy.matmul(b.mT()).sumTo(a.shape), a.mT().matmul(dy).sumTo(b.shape)],
	evaluate: ([a, b]) => {
		const { shape } = matmulType([a, b]);
		const [m, k] = a.shape.slice(-2);
		const n = b.shape.at(-1);
		const batch = shape.slice(0, -2);
		const [x, y, out] = [
			broadcastTo(a, [
				...batch,
				m,
				k
			]),
			broadcastTo(b, [
				...batch,
				k,
				n
			]),
			nd(shape)
		];
		for (let i = 0; i < sizeOf(batch); i++) matmulInto(x.data, i * m * k, y.data, i * k * n, out.data, i * m * n, m, k, n);
		return out;
	},
	macs: ([a], _attrs, [y]) => sizeOf(y.shape) * a.shape.at(-1),
	check: [
		{ x: [[3, 4], [4, 5]] },
		{ x: [[
			2,
			3,
			4
		], [4, 5]] },
		{ x: [[
			2,
			1,
			3,
			4
		], [
			3,
			4,
			2
		]] }
	]
});
/** y = alpha · op(a) · op(b) + c for matrices, c broadcast. */
defineOp("Gemm", {
	type: ([a, b, c], { transA, transB }) => {
		if (a.shape.length !== 2 || b.shape.length !== 2) throw new TesseraeError("shape", "Gemm takes matrices");
		const [m, k] = transA ? [a.shape[1], a.shape[0]] : a.shape;
		const [k2, n] = transB ? [b.shape[1], b.shape[0]] : b.shape;
		if (k !== k2) throw new TesseraeError("shape", `Gemm of ${showShape(a.shape)} and ${showShape(b.shape)}: inner sizes differ`);
		if (c) broadcastShapes(c.shape, [m, n]);
		return {
			dtype: a.dtype,
			shape: [m, n]
		};
	},
	vjp: ({ x: [a, b, c], dy, attrs: { transA = 0, transB = 0, alpha } }) => [
		transA ? b.gemm(dy, void 0, {
			alpha,
			transA: transB,
			transB: 1
		}) : dy.gemm(b, void 0, {
			alpha,
			transB: transB ? 0 : 1
		}),
		transB ? dy.gemm(a, void 0, {
			alpha,
			transA: 1,
			transB: transA
		}) : a.gemm(dy, void 0, {
			alpha,
			transA: transA ? 0 : 1
		}),
		c && dy.sumTo(c.shape)
	],
	evaluate: ([a, b, c], { transA, transB, alpha = 1 }) => {
		const [x, y] = [transA ? transpose$2(a, [1, 0]) : a, transB ? transpose$2(b, [1, 0]) : b];
		const [[m, k], n] = [x.shape, y.shape[1]];
		const out = nd([m, n]);
		matmulInto(x.data.map((v) => v * alpha), 0, y.data, 0, out.data, 0, m, k, n);
		return c ? zip((p, q) => p + q)([out, c]) : out;
	},
	macs: ([a], { transA }, [y]) => sizeOf(y.shape) * a.shape[transA ? 0 : 1],
	check: [
		{ x: [
			[3, 4],
			[4, 5],
			[5]
		] },
		{
			x: [
				[3, 4],
				[5, 4],
				[5]
			],
			attrs: { transB: 1 }
		},
		{
			x: [[4, 3], [4, 5]],
			attrs: {
				transA: 1,
				alpha: .5
			}
		},
		{
			x: [
				[4, 3],
				[5, 4],
				[3, 1]
			],
			attrs: {
				transA: 1,
				transB: 1
			}
		}
	]
});
//#endregion
//#region src/ops/norm.ts
/** y = exp(x) / Σ exp(x) along one axis. */
defineOp("Softmax", {
	type: ([x]) => x,
	vjp: ({ y: [y], dy, attrs: { axis } }) => [y.mul(dy.sub(dy.mul(y).sum([axis], true)))],
	evaluate: ([x], { axis }) => {
		const max = broadcastTo(reduce(x, [axis], -Infinity, Math.max), x.shape);
		const e = nd(x.shape, x.data.map((v, i) => Math.exp(v - max.data[i])));
		const total = broadcastTo(reduce(e, [axis], 0, (a, v) => a + v), x.shape);
		return nd(x.shape, e.data.map((v, i) => v / total.data[i]));
	},
	check: [{
		x: [[3, 4]],
		attrs: { axis: 1 }
	}, {
		x: [[
			2,
			3,
			2
		]],
		attrs: { axis: 1 }
	}]
});
/** y = x - log Σ exp(x) along one axis. */
defineOp("LogSoftmax", {
	type: ([x]) => x,
	vjp: ({ y: [y], dy, attrs: { axis } }) => [dy.sub(y.exp().mul(dy.sum([axis], true)))],
	evaluate: ([x], { axis }) => {
		const max = broadcastTo(reduce(x, [axis], -Infinity, Math.max), x.shape);
		const total = broadcastTo(reduce(nd(x.shape, x.data.map((v, i) => Math.exp(v - max.data[i]))), [axis], 0, (a, v) => a + v), x.shape);
		return nd(x.shape, x.data.map((v, i) => v - max.data[i] - Math.log(total.data[i])));
	},
	check: [{
		x: [[3, 4]],
		attrs: { axis: 1 }
	}]
});
/**
* y = (x - mean) · invStd · scale + bias over the axes from `axis` on (Ba et al. 2016).
* Outputs y, mean and invStd (both with the normalised axes kept as 1).
*/
defineOp("LayerNormalization", {
	type: ([x], { axis }) => {
		const stat = {
			dtype: x.dtype,
			shape: x.shape.map((d, i) => i >= axis ? 1 : d)
		};
		return [
			x,
			stat,
			stat
		];
	},
	vjp: ({ x: [x, scale, bias], y: [, mean, invStd], dy, attrs: { axis } }) => {
		const axes = [...x.shape.keys()].filter((i) => i >= axis);
		const hat = x.sub(mean).mul(invStd);
		const g = dy.mul(scale);
		return [
			g.sub(g.mean(axes, true)).sub(hat.mul(g.mul(hat).mean(axes, true))).mul(invStd),
			dy.mul(hat).sumTo(scale.shape),
			bias && dy.sumTo(bias.shape)
		];
	},
	evaluate: ([x, scale, bias], { axis, epsilon }) => {
		const axes = [...x.shape.keys()].filter((i) => i >= axis);
		const n = sizeOf(x.shape.slice(axis));
		const { shape, data: sum } = reduce(x, axes, 0, (a, v) => a + v);
		const mean = nd(shape, sum.map((v) => v / n));
		const mu = broadcastTo(mean, x.shape);
		const centred = nd(x.shape, x.data.map((v, i) => v - mu.data[i]));
		const invStd = nd(shape, reduce(centred, axes, 0, (a, v) => a + v * v).data.map((v) => 1 / Math.sqrt(v / n + epsilon)));
		const inv = broadcastTo(invStd, x.shape);
		const [s, b] = [broadcastTo(scale, x.shape), bias && broadcastTo(bias, x.shape)];
		return [
			nd(x.shape, centred.data.map((v, i) => v * inv.data[i] * s.data[i] + (b?.data[i] ?? 0))),
			mean,
			invStd
		];
	},
	check: [{
		x: [
			[3, 5],
			[5],
			[5]
		],
		attrs: {
			axis: 1,
			epsilon: 1e-5
		}
	}, {
		x: [[
			2,
			3,
			4
		], [3, 4]],
		attrs: {
			axis: 1,
			epsilon: 1e-6
		}
	}]
});
const perChannel = (rank, c) => [
	1,
	c,
	...Array(rank - 2).fill(1)
];
/**
* Batch normalisation over all axes but the second (Ioffe and Szegedy 2015). Inputs x, scale, bias, mean, var [C].
* In training, outputs 1 and 2 are momentum · given + (1 - momentum) · batch mean and (biased) variance.
*/
defineOp("BatchNormalization", {
	type: ([x, scale], { training_mode }) => training_mode ? [
		x,
		scale,
		scale
	] : [x],
	vjp: ({ x: [x, scale, , mean, variance], y, dy, attrs: { epsilon, training_mode } }) => {
		const axes = [...x.shape.keys()].filter((i) => i !== 1);
		const shape = perChannel(x.rank, x.shape[1]);
		const [mu, v] = training_mode ? [y[1], y[2]] : [mean, variance];
		const inv = fill(1, v.shape).div(v.add(epsilon).sqrt());
		const hat = x.sub(mu.reshape(shape)).mul(inv.reshape(shape));
		const dBias = dy.sum(axes);
		const dScale = dy.mul(hat).sum(axes);
		const gain = scale.mul(inv);
		if (!training_mode) {
			const dMean = dBias.mul(gain).neg();
			const dVar = dScale.mul(scale).mul(inv).mul(inv).mul(-.5);
			return [
				dy.mul(gain.reshape(shape)),
				dScale,
				dBias,
				dMean,
				dVar
			];
		}
		const n = x.size / x.shape[1];
		return [
			dy.sub(dBias.mul(1 / n).reshape(shape)).sub(hat.mul(dScale.mul(1 / n).reshape(shape))).mul(gain.reshape(shape)),
			dScale,
			dBias
		];
	},
	evaluate: ([x, scale, bias, mean, variance], { epsilon, training_mode, momentum = .9 }) => {
		const axes = [...x.shape.keys()].filter((i) => i !== 1);
		const shape = perChannel(x.shape.length, x.shape[1]);
		const n = sizeOf(x.shape) / x.shape[1];
		const channel = (v) => broadcastTo(nd(shape, v), x.shape).data;
		const mu = training_mode ? reduce(x, axes, 0, (a, v) => a + v).data.map((v) => v / n) : mean.data;
		const muX = channel(mu);
		const spread = nd(x.shape, x.data.map((v, i) => (v - muX[i]) ** 2));
		const va = training_mode ? reduce(spread, axes, 0, (a, v) => a + v).data.map((v) => v / n) : variance.data;
		const [vX, sX, bX] = [
			channel(va),
			channel(scale.data),
			channel(bias.data)
		];
		const y = nd(x.shape, x.data.map((v, i) => (v - muX[i]) / Math.sqrt(vX[i] + epsilon) * sX[i] + bX[i]));
		const blend = (old, now) => nd([x.shape[1]], now.map((v, i) => momentum * old[i] + (1 - momentum) * v));
		return training_mode ? [
			y,
			blend(mean.data, mu),
			blend(variance.data, va)
		] : [y];
	},
	check: [
		{
			x: [
				[
					3,
					2,
					2,
					2
				],
				[2],
				[2],
				[2],
				[2]
			],
			attrs: {
				epsilon: 1e-5,
				training_mode: 1,
				momentum: 0
			},
			range: [.2, 1]
		},
		{
			x: [
				[5, 3],
				[3],
				[3],
				[3],
				[3]
			],
			attrs: {
				epsilon: 1e-5,
				training_mode: 1,
				momentum: 0
			},
			range: [.2, 1]
		},
		{
			x: [
				[
					3,
					2,
					2
				],
				[2],
				[2],
				[2],
				[2]
			],
			attrs: {
				epsilon: 1e-5,
				training_mode: 0
			},
			range: [.2, 1]
		}
	]
});
//#endregion
//#region src/ops/pool.ts
function pooledShape(x, attrs) {
	const { kernel_shape, pads = [] } = attrs;
	if (x.length !== 4 || kernel_shape.length !== 2 || pads.some((p, i) => p < 0 || p >= kernel_shape[i % 2])) throw new TesseraeError("shape", `a window of ${kernel_shape.join("x")} padded by [${pads}] on ${showShape(x)}`, { hint: "Pooling takes images [N, C, H, W], two kernel sizes, and pads smaller than the kernel." });
	return [
		x[0],
		x[1],
		...windowCounts(x, windowOf$1(kernel_shape, attrs))
	];
}
/** [start, end) of window i along an axis, cut to the image. */
function span(i, axis, size, { kernel, strides, pads }) {
	const start = i * strides[axis] - pads[axis];
	return [Math.max(start, 0), Math.min(start + kernel[axis], size)];
}
/** Calls f(flat output index, flat indices of the pixels in its window). */
function forEachWindow(x, attrs, f) {
	const shape = pooledShape(x.shape, attrs);
	const window = windowOf$1(attrs.kernel_shape, attrs);
	const [, C, H, W] = x.shape;
	forEachIndex(shape, (flat, [n, c, i, j]) => {
		const [[top, bottom], [left, right]] = [span(i, 0, H, window), span(j, 1, W, window)];
		const pixels = [];
		for (let y = top; y < bottom; y++) for (let z = left; z < right; z++) pixels.push(((n * C + c) * H + y) * W + z);
		f(flat, pixels);
	});
	return shape;
}
/** y = max over each window, and where it was found: the flat index into x of the first maximum, row by row. */
defineOp("MaxPool", {
	type: ([x], attrs) => {
		const shape = pooledShape(x.shape, attrs);
		return [{
			dtype: x.dtype,
			shape
		}, {
			dtype: "int64",
			shape
		}];
	},
	vjp: ({ x: [x], y: [, indices], dy }) => {
		const at = indices.reshape([dy.size]);
		return [apply("ScatterElements", [
			constant(0, [], x.dtype).expand([x.size]),
			at,
			dy.reshape([dy.size])
		], {
			axis: 0,
			reduction: "add"
		}).reshape(x.shape)];
	},
	evaluate: ([x], attrs) => {
		const best = [];
		const shape = forEachWindow(x, attrs, (flat, pixels) => {
			best[flat] = pixels.reduce((a, b) => x.data[b] > x.data[a] ? b : a);
		});
		return [nd(shape, Float64Array.from(best, (i) => x.data[i])), nd(shape, Float64Array.from(best))];
	},
	check: [
		{
			x: [[
				2,
				2,
				4,
				6
			]],
			attrs: {
				kernel_shape: [2, 2],
				strides: [2, 2]
			}
		},
		{
			x: [[
				2,
				2,
				7,
				6
			]],
			attrs: {
				kernel_shape: [3, 3],
				strides: [2, 2],
				pads: [
					1,
					1,
					1,
					1
				]
			}
		},
		{
			x: [[
				2,
				2,
				6,
				6
			]],
			attrs: {
				kernel_shape: [3, 3],
				strides: [2, 2],
				pads: [
					0,
					0,
					1,
					1
				]
			}
		},
		{
			x: [[
				1,
				2,
				6,
				7
			]],
			attrs: {
				kernel_shape: [3, 3],
				strides: [2, 2],
				ceil_mode: 1
			}
		},
		{
			x: [[
				1,
				2,
				5,
				4
			]],
			attrs: {
				kernel_shape: [3, 2],
				pads: [
					1,
					0,
					1,
					1
				]
			}
		}
	]
});
/**
* Pixels that window i along an axis divides by. With padding counted, pixels past the end of the padding
* (where ceil_mode lets a window reach) still are not.
*/
function divisor(i, axis, size, window, includePad) {
	const [start, end] = span(i, axis, size, window);
	if (!includePad) return end - start;
	const first = i * window.strides[axis] - window.pads[axis];
	return Math.min(first + window.kernel[axis], size + window.pads[axis + 2]) - first;
}
/** Pixels averaged in each window, along each spatial axis: the count is the product of the two. */
function divisors(x, attrs) {
	const window = windowOf$1(attrs.kernel_shape, attrs);
	const [h, w] = windowCounts(x, window).map((n, axis) => Array.from({ length: n }, (_, i) => divisor(i, axis, x[axis + 2], window, Boolean(attrs.count_include_pad))));
	return [h, w];
}
/** y = mean over each window. */
defineOp("AveragePool", {
	type: ([x], attrs) => ({
		dtype: x.dtype,
		shape: pooledShape(x.shape, attrs)
	}),
	vjp: ({ x: [x], dy, attrs }) => [sumOfWindows(shareOut(dy, x, attrs), x.shape, attrs)],
	evaluate: ([x], attrs) => {
		const [ch, cw] = divisors(x.shape, attrs);
		const out = nd(pooledShape(x.shape, attrs));
		forEachWindow(x, attrs, (flat, pixels) => {
			const [i, j] = [Math.floor(flat / cw.length) % ch.length, flat % cw.length];
			out.data[flat] = pixels.reduce((s, p) => s + x.data[p], 0) / (ch[i] * cw[j]);
		});
		return out;
	},
	check: [
		{
			x: [[
				2,
				2,
				4,
				6
			]],
			attrs: {
				kernel_shape: [2, 3],
				strides: [2, 3]
			}
		},
		{
			x: [[
				2,
				2,
				5,
				7
			]],
			attrs: {
				kernel_shape: [2, 2],
				strides: [2, 2]
			}
		},
		{
			x: [[
				1,
				2,
				5,
				7
			]],
			attrs: {
				kernel_shape: [2, 2],
				strides: [2, 2],
				ceil_mode: 1
			}
		},
		{
			x: [[
				1,
				2,
				5,
				4
			]],
			attrs: {
				kernel_shape: [3, 3],
				pads: [
					1,
					1,
					1,
					1
				]
			}
		},
		{
			x: [[
				1,
				2,
				5,
				4
			]],
			attrs: {
				kernel_shape: [3, 3],
				pads: [
					1,
					1,
					1,
					1
				],
				count_include_pad: 1
			}
		},
		{
			x: [[
				1,
				2,
				7,
				6
			]],
			attrs: {
				kernel_shape: [3, 3],
				strides: [2, 2],
				pads: [
					1,
					1,
					1,
					1
				]
			}
		},
		{
			x: [[
				1,
				2,
				6,
				6
			]],
			attrs: {
				kernel_shape: [3, 2],
				strides: [2, 1],
				pads: [
					0,
					0,
					1,
					1
				],
				count_include_pad: 1
			}
		},
		{
			x: [[
				1,
				2,
				6,
				7
			]],
			attrs: {
				kernel_shape: [3, 3],
				strides: [2, 2],
				pads: [
					1,
					1,
					1,
					1
				],
				ceil_mode: 1,
				count_include_pad: 1
			}
		},
		{
			x: [[
				1,
				2,
				6,
				7
			]],
			attrs: {
				kernel_shape: [3, 3],
				strides: [2, 2],
				pads: [
					1,
					1,
					1,
					1
				],
				ceil_mode: 1
			}
		},
		{
			x: [[
				1,
				1,
				7,
				8
			]],
			attrs: {
				kernel_shape: [2, 2],
				strides: [4, 3]
			}
		}
	]
});
/** Each window's cotangent over the number of pixels it averages. */
function shareOut(dy, x, attrs) {
	const [h, w] = divisors(x.shape, attrs);
	const shares = h.flatMap((a) => w.map((b) => 1 / (a * b)));
	return shares.every((v) => v === shares[0]) ? dy.mul(shares[0]) : dy.mul(constant(shares, [h.length, w.length], dy.dtype));
}
/** dX[pixel] = Σ of the shares of the windows that hold it. */
function sumOfWindows(shares, x, attrs) {
	const window = windowOf$1(attrs.kernel_shape, attrs);
	const { kernel, strides, pads } = window;
	if (pads.every((p) => p === 0) && kernel.every((k, i) => k === strides[i])) return repeatOverTiles(shares, x, kernel);
	return strides.every((s) => s === 1) ? sumOfShares(shares, window) : scatterOverWindows(shares, x, window);
}
/** Windows that tile the image: every pixel takes its window's share, pixels past the last window nothing. */
function repeatOverTiles(shares, x, [kh, kw]) {
	const [n, c, h, w] = shares.shape;
	const row = concat(Array(kw).fill(shares.reshape([
		n,
		c,
		h,
		w,
		1
	])), 4).reshape([
		n,
		c,
		h,
		1,
		w * kw
	]);
	return cutOrPad(concat(Array(kh).fill(row), 3).reshape([
		n,
		c,
		h * kh,
		w * kw
	]), x);
}
/** Stride 1: the windows that hold a pixel are themselves a window, of shares: kH·kW times their average. */
const sumOfShares = (shares, { kernel, pads }) => shares.avgPool({
	kernel_shape: kernel,
	pads: pads.map((p, i) => kernel[i % 2] - 1 - p),
	count_include_pad: 1
}).mul(sizeOf(kernel));
/** Every share goes to all pixels of its window: the adjoint of a convolution with ones. */
function scatterOverWindows(shares, x, { kernel, strides, pads }) {
	const ones = fill(1, [
		x[1],
		1,
		...kernel
	], shares.dtype);
	const past = [0, 1].map((i) => strides[i] * (shares.shape[i + 2] - 1) + kernel[i] - pads[i] - x[i + 2]);
	return apply("ConvTranspose", [shares, ones], {
		strides,
		pads: [
			pads[0],
			pads[1],
			...past.map((p) => Math.max(p, 0))
		],
		output_padding: past.map((p) => Math.max(-p, 0)),
		group: x[1]
	});
}
/** Rows and columns at the end cut off, or zeros added, to reach a size. */
function cutOrPad(t, x) {
	const cut = [2, 3].reduce((u, axis) => u.slice(axis, 0, Math.min(u.shape[axis], x[axis])), t);
	return cut.pad(x.map((d, i) => [0, d - cut.shape[i]]));
}
/** y = x with y[indices[i]] += updates[i], for vectors. */
defineOp("ScatterElements", {
	type: ([x, indices, updates]) => {
		if (x.shape.length !== 1 || indices.shape.length !== 1 || indices.shape[0] !== updates.shape[0]) throw new TesseraeError("shape", "ScatterElements takes a vector, and as many indices as updates");
		return {
			dtype: x.dtype,
			shape: x.shape
		};
	},
	evaluate: ([x, indices, updates]) => {
		const out = nd(x.shape, x.data.slice());
		indices.data.forEach((at, i) => {
			out.data[at] += updates.data[i];
		});
		return out;
	},
	check: [{
		x: [
			[5],
			{
				shape: [3],
				data: Float64Array.of(4, 0, 4)
			},
			[3]
		],
		attrs: {
			axis: 0,
			reduction: "add"
		},
		dtypes: [
			"float32",
			"int64",
			"float32"
		]
	}]
});
//#endregion
//#region src/ops/reduce.ts
const keep = (shape, axes) => shape.map((d, i) => axes.includes(i) ? 1 : d);
const reduced = (shape, { axes, keepdims }) => keepdims ? keep(shape, axes) : shape.filter((_, i) => !axes.includes(i));
const count = (shape, axes) => sizeOf(axes.map((a) => shape[a]));
const REDUCTIONS = {
	ReduceSum: {
		init: 0,
		f: (a, v) => a + v,
		grad: (x, _y, dy) => dy.expand(x.shape)
	},
	ReduceMean: {
		init: 0,
		f: (a, v) => a + v,
		mean: true,
		grad: (x, _y, dy, n) => dy.mul(1 / n).expand(x.shape)
	},
	ReduceSumSquare: {
		init: 0,
		f: (a, v) => a + v * v,
		grad: (x, _y, dy) => dy.mul(2).mul(x)
	},
	ReduceProd: {
		init: 1,
		f: (a, v) => a * v,
		grad: (x, y, dy) => dy.mul(y).div(x),
		range: [.4, 2]
	},
	ReduceMax: {
		init: -Infinity,
		f: Math.max,
		grad: (x, y, dy) => {
			const hit = x.equal(y).cast(x.dtype);
			const axes = [...x.shape.keys()].filter((i) => y.shape[i] !== x.shape[i]);
			return hit.mul(dy.div(hit.sum(axes, true)));
		}
	}
};
for (const [name, { init, f, mean, grad, range }] of Object.entries(REDUCTIONS)) defineOp(name, {
	type: ([x], attrs) => ({
		dtype: x.dtype,
		shape: reduced(x.shape, attrs)
	}),
	vjp: ({ x: [x], y: [y], dy, attrs: { axes } }) => {
		const shape = keep(x.shape, axes);
		return [grad(x, y.reshape(shape), dy.reshape(shape), count(x.shape, axes))];
	},
	evaluate: ([x], attrs) => {
		const { data } = reduce(x, attrs.axes, init, f);
		const n = mean ? count(x.shape, attrs.axes) : 1;
		return nd(reduced(x.shape, attrs), data.map((v) => v / n));
	},
	inputAttrs: ["axes"],
	check: [
		{
			x: [[3, 4]],
			attrs: {
				axes: [1],
				keepdims: 0
			},
			range
		},
		{
			x: [[
				2,
				3,
				4
			]],
			attrs: {
				axes: [0, 2],
				keepdims: 1
			},
			range
		},
		{
			x: [[2, 3]],
			attrs: {
				axes: [0, 1],
				keepdims: 0
			},
			range
		}
	]
});
/** Index of the first maximum along an axis. */
defineOp("ArgMax", {
	type: ([x], { axis, keepdims }) => ({
		dtype: "int64",
		shape: reduced(x.shape, {
			axes: [axis],
			keepdims
		})
	}),
	evaluate: ([x], { axis, keepdims }) => {
		const inner = sizeOf(x.shape.slice(axis + 1));
		const out = nd(reduced(x.shape, {
			axes: [axis],
			keepdims
		}));
		for (let o = 0; o < out.data.length; o++) {
			const base = Math.floor(o / inner) * inner * x.shape[axis] + o % inner;
			let best = 0;
			for (let i = 1; i < x.shape[axis]; i++) if (x.data[base + i * inner] > x.data[base + best * inner]) best = i;
			out.data[o] = best;
		}
		return out;
	},
	check: [{
		x: [[3, 4]],
		attrs: {
			axis: 1,
			keepdims: 0
		}
	}, {
		x: [[
			3,
			4,
			2
		]],
		attrs: {
			axis: 1,
			keepdims: 1
		}
	}]
});
//#endregion
//#region src/graph/evaluate.ts
/** Value of a Constant node in doubles. */
function constantValue(node) {
	const { shape, data } = node.attrs.value;
	return {
		shape,
		data: data instanceof Float64Array ? data : toDoubles(data)
	};
}
//#endregion
//#region src/ops/shape.ts
/** Same elements, another shape. */
defineOp("Reshape", {
	type: ([x], { shape }) => {
		if (sizeOf(shape) !== sizeOf(x.shape) || shape.some((d) => !Number.isInteger(d))) throw new TesseraeError("shape", `cannot reshape ${showShape(x.shape)} to ${showShape(shape)}`);
		return {
			dtype: x.dtype,
			shape
		};
	},
	vjp: ({ x: [x], dy }) => [dy.reshape(x.shape)],
	evaluate: ([x], { shape }) => nd(shape, x.data),
	inputAttrs: ["shape"],
	check: [{
		x: [[2, 6]],
		attrs: { shape: [3, 4] }
	}]
});
/** y[i] = x[i permuted]. */
defineOp("Transpose", {
	type: ([x], { perm }) => {
		if (perm.length !== x.shape.length || [...perm].sort((a, b) => a - b).some((p, i) => p !== i)) throw new TesseraeError("shape", `[${perm}] does not permute ${showShape(x.shape)}`);
		return {
			dtype: x.dtype,
			shape: perm.map((p) => x.shape[p])
		};
	},
	vjp: ({ dy, attrs: { perm } }) => [dy.transpose(perm.map((_, i) => perm.indexOf(i)))],
	evaluate: ([x], { perm }) => transpose$2(x, perm),
	check: [{
		x: [[
			2,
			3,
			4
		]],
		attrs: { perm: [
			2,
			0,
			1
		] }
	}]
});
/** Broadcast to a shape. */
defineOp("Expand", {
	type: ([x], { shape }) => {
		if (!sameShape(broadcastShapes(x.shape, shape), shape)) throw new TesseraeError("shape", `cannot expand ${showShape(x.shape)} to ${showShape(shape)}`);
		return {
			dtype: x.dtype,
			shape
		};
	},
	vjp: ({ x: [x], dy }) => [dy.sumTo(x.shape)],
	evaluate: ([x], { shape }) => broadcastTo(x, shape),
	inputAttrs: ["shape"],
	check: [{
		x: [[3, 1]],
		attrs: { shape: [
			2,
			3,
			4
		] }
	}]
});
defineOp("Concat", {
	type: (x, { axis }) => {
		const [{ dtype, shape }] = x;
		for (const t of x) if (t.shape.length !== shape.length || t.shape.some((d, i) => i !== axis && d !== shape[i])) throw new TesseraeError("shape", `cannot concatenate ${x.map((v) => showShape(v.shape)).join(", ")} along ${axis}`);
		return {
			dtype,
			shape: shape.map((d, i) => i === axis ? x.reduce((s, t) => s + t.shape[axis], 0) : d)
		};
	},
	vjp: ({ x, dy, attrs: { axis } }) => [...dy.split(x.map((t) => t.shape[axis]), axis)],
	evaluate: (x, { axis }) => {
		const out = nd(x[0].shape.map((d, i) => i === axis ? x.reduce((s, t) => s + t.shape[axis], 0) : d));
		const strides = stridesOf(out.shape);
		let at = 0;
		for (const part of x) {
			const start = at * strides[axis];
			forEachIndex(part.shape, (flat, index) => {
				out.data[start + dot(index, strides)] = part.data[flat];
			});
			at += part.shape[axis];
		}
		return out;
	},
	check: [{
		x: [
			[2, 3],
			[2, 1],
			[2, 2]
		],
		attrs: { axis: 1 }
	}]
});
defineOp("Split", {
	type: ([x], { axis, split }) => {
		if (split.reduce((a, b) => a + b, 0) !== x.shape[axis] || split.some((s) => !Number.isInteger(s))) throw new TesseraeError("shape", `cannot split axis ${axis} of ${showShape(x.shape)} into [${split}]`);
		return split.map((size) => ({
			dtype: x.dtype,
			shape: x.shape.map((d, i) => i === axis ? size : d)
		}));
	},
	vjp: ({ y, dys, attrs: { axis } }) => [concat(y.map((t, i) => dys[i] ?? zerosLike(t)), axis)],
	evaluate: ([x], { axis, split }) => {
		const strides = stridesOf(x.shape);
		let at = 0;
		return split.map((size) => {
			const start = at * strides[axis];
			at += size;
			return gatherBy(x, x.shape.map((d, i) => i === axis ? size : d), (index) => start + dot(index, strides));
		});
	},
	inputAttrs: ["split"],
	check: [{
		x: [[2, 6]],
		attrs: {
			axis: 1,
			split: [
				1,
				2,
				3
			]
		}
	}]
});
/** First index and length of each axis after slicing. */
function sliceBounds(shape, { starts, ends, axes, steps }) {
	const first = shape.map(() => 0);
	const step = shape.map(() => 1);
	const size = [...shape];
	axes.forEach((axis, i) => {
		const d = shape[axis];
		const s = steps[i];
		const [low, high] = s > 0 ? [0, d] : [-1, d - 1];
		const clamp = (v) => Math.min(Math.max(v < 0 ? v + d : v, low), high);
		const from = clamp(starts[i]);
		first[axis] = from;
		step[axis] = s;
		size[axis] = Math.max(0, Math.ceil((clamp(ends[i]) - from) / s));
	});
	return {
		first,
		step,
		size
	};
}
/** y = x[start:end:step] along the listed axes. An end of -2^31 or less means "past the first element". */
defineOp("Slice", {
	type: ([x], attrs) => ({
		dtype: x.dtype,
		shape: sliceBounds(x.shape, attrs).size
	}),
	vjp: ({ x: [x], dy, attrs }) => [unslice(dy, x, attrs)],
	evaluate: ([x], attrs) => {
		const { first, step, size } = sliceBounds(x.shape, attrs);
		const strides = stridesOf(x.shape);
		const start = dot(first, strides);
		const walk = strides.map((s, i) => s * step[i]);
		return gatherBy(x, size, (index) => start + dot(index, walk));
	},
	inputAttrs: [
		"starts",
		"ends",
		"axes",
		"steps"
	],
	check: [
		{
			x: [[4, 5]],
			attrs: {
				starts: [1],
				ends: [4],
				axes: [1],
				steps: [1]
			}
		},
		{
			x: [[5, 6]],
			attrs: {
				starts: [1, 0],
				ends: [5, 6],
				axes: [0, 1],
				steps: [2, 3]
			}
		},
		{
			x: [[5]],
			attrs: {
				starts: [4],
				ends: [-(2 ** 40)],
				axes: [0],
				steps: [-1]
			}
		}
	]
});
/** Puts a cotangent back in place: zeros between for steps over one, then zeros around. */
function unslice(dy, x, attrs) {
	const { first, step } = sliceBounds(x.shape, attrs);
	let d = dy;
	for (const axis of attrs.axes) {
		const s = Math.abs(step[axis]);
		if (step[axis] < 0) d = d.slice(axis, d.shape[axis] - 1, -(2 ** 40), -1);
		if (s > 1) d = spread(d, axis, s);
		const low = step[axis] < 0 ? first[axis] - (d.shape[axis] - 1) : first[axis];
		d = d.pad(d.shape.map((n, i) => i === axis ? [low, x.shape[axis] - low - n] : [0, 0]));
	}
	return d;
}
/** n entries to (n - 1)·s + 1, with s - 1 zeros between neighbours. */
function spread(x, axis, s) {
	if (s === 1) return x;
	const n = x.shape[axis];
	const apart = x.unsqueeze(axis + 1);
	return apart.pad(apart.shape.map((_, i) => i === axis + 1 ? [0, s - 1] : [0, 0])).reshape(x.shape.map((d, i) => i === axis ? n * s : d)).slice(axis, 0, (n - 1) * s + 1);
}
/** Constant padding; pads = [before..., after...]. */
defineOp("Pad", {
	type: ([x], { pads }) => {
		const rank = x.shape.length;
		if (pads.length !== 2 * rank || pads.some((p) => p < 0)) throw new TesseraeError("shape", `pads [${pads}] do not fit ${showShape(x.shape)}`);
		return {
			dtype: x.dtype,
			shape: x.shape.map((d, i) => pads[i] + pads[i + rank] === 0 ? d : d + pads[i] + pads[i + rank])
		};
	},
	vjp: ({ x: [x], dy, attrs: { pads } }) => {
		const axes = [...x.shape.keys()].filter((i) => pads[i] + pads[i + x.rank] > 0);
		const starts = axes.map((a) => pads[a]);
		const ends = axes.map((a) => pads[a] + x.shape[a]);
		return [apply("Slice", [dy], {
			starts,
			ends,
			axes,
			steps: axes.map(() => 1)
		})];
	},
	evaluate: ([x], { pads, value = 0 }) => {
		const rank = x.shape.length;
		const out = nd(x.shape.map((d, i) => d + pads[i] + pads[i + rank]));
		out.data.fill(value);
		const strides = stridesOf(out.shape);
		const start = dot(pads.slice(0, rank), strides);
		forEachIndex(x.shape, (flat, index) => {
			out.data[start + dot(index, strides)] = x.data[flat];
		});
		return out;
	},
	inputAttrs: ["pads"],
	check: [{
		x: [[2, 3]],
		attrs: { pads: [
			1,
			0,
			0,
			2
		] }
	}, {
		x: [[2, 3]],
		attrs: {
			pads: [
				0,
				1,
				1,
				0
			],
			value: .5
		}
	}]
});
/** For each entry along the axis, the places that read it. */
function readersOf(indices, size) {
	const readers = Array.from({ length: size }, () => []);
	constantValue(indices.node).data.forEach((i, at) => {
		readers[i < 0 ? i + size : i].push(at);
	});
	return readers;
}
/**
* dX of Gather where the indices are known: each entry gathers what reached its readers, and adds; entries with fewer
* readers than the most gather zeros beside. (ScatterND with reduction = add is no way: onnxruntime's threads add
* to one row at the same time and lose terms.)
*/
function sumOfReaders(dy, readers, axis) {
	const most = Math.max(...readers.map((r) => r.length));
	const nowhere = dy.shape[axis];
	const places = readers.flatMap((r) => [...r, ...Array(most - r.length).fill(nowhere)]);
	return (places.includes(nowhere) ? dy.pad(dy.shape.map((_, i) => [0, Number(i === axis)])) : dy).gather(constant(places, [readers.length, most], "int64"), axis).sum([axis + 1]);
}
/** dX of Gather for indices known only as the program runs: one addition a value, in order. */
function scatterSum(dy, indices, x, axis) {
	const [outer, size, inner] = [
		sizeOf(x.shape.slice(0, axis)),
		x.shape[axis],
		sizeOf(x.shape.slice(axis + 1))
	];
	const row = indices.reshape([
		1,
		indices.size,
		1
	]);
	const rows = row.less(0).where(row.add(size), row).mul(inner);
	const at = arange(outer).mul(size * inner).reshape([
		outer,
		1,
		1
	]).add(rows).add(arange(inner).reshape([
		1,
		1,
		inner
	]));
	return apply("ScatterElements", [
		fill(0, [x.size], x.dtype),
		at.reshape([dy.size]),
		dy.reshape([dy.size])
	], {
		axis: 0,
		reduction: "add"
	}).reshape(x.shape);
}
/** y = x[..., indices, ...] along one axis. */
defineOp("Gather", {
	type: ([x, i], { axis }) => ({
		dtype: x.dtype,
		shape: [
			...x.shape.slice(0, axis),
			...i.shape,
			...x.shape.slice(axis + 1)
		]
	}),
	vjp: ({ x: [x, indices], dy, attrs: { axis } }) => {
		const flat = dy.reshape([
			...x.shape.slice(0, axis),
			indices.size,
			...x.shape.slice(axis + 1)
		]);
		const readers = indices.node.op === "Constant" ? readersOf(indices, x.shape[axis]) : void 0;
		const padded = readers && readers.length * Math.max(...readers.map((r) => r.length));
		return [padded !== void 0 && padded <= 8 * indices.size + 64 ? sumOfReaders(flat, readers, axis) : scatterSum(flat, indices, x, axis)];
	},
	evaluate: ([x, indices], { axis }) => {
		const inner = sizeOf(x.shape.slice(axis + 1));
		const shape = [
			...x.shape.slice(0, axis),
			...indices.shape,
			...x.shape.slice(axis + 1)
		];
		const places = indices.data.length;
		const out = nd(shape);
		for (let f = 0; f < out.data.length; f++) {
			const outer = Math.floor(f / (inner * places));
			const i = indices.data[Math.floor(f / inner) % places];
			out.data[f] = x.data[(outer * x.shape[axis] + (i < 0 ? i + x.shape[axis] : i)) * inner + f % inner];
		}
		return out;
	},
	check: [{
		x: [[4, 3], {
			shape: [2, 2],
			data: Float64Array.of(3, 0, 0, 1)
		}],
		attrs: { axis: 0 },
		dtypes: ["float32", "int64"]
	}, {
		x: [[
			2,
			4,
			3
		], {
			shape: [3],
			data: Float64Array.of(3, 0, 0)
		}],
		attrs: { axis: 1 },
		dtypes: ["float32", "int64"]
	}]
});
/** Integers 0..n-1 as a constant. */
const arange = (n) => constant([...Array(n).keys()], [n], "int64");
//#endregion
//#region src/autodiff/grad.ts
/**
* Reverse-mode gradients of a scalar: d loss / d w for each w of `wrt` (any tensor that the loss depends on;
* zeros for one it does not depend on). One walk from the loss back that knows no operator by name.
*/
function grad(loss, wrt) {
	if (loss.size !== 1) throw new TesseraeError("shape", `gradients start from a scalar, not ${showShape(loss.shape)}`);
	return vjp([loss], [fill(1, loss.shape, loss.dtype)], wrt);
}
/** Cotangents of `wrt` given cotangents of `outputs`: a vector-Jacobian product. */
function vjp(outputs, cotangents, wrt) {
	const nodes = nodesOf(outputs);
	const active = dependents(nodes, wrt);
	const parts = /* @__PURE__ */ new Map();
	const accumulate = (t, dy) => {
		const list = parts.get(t.node) ?? [];
		const sum = list[t.index];
		list[t.index] = sum ? sum.add(dy) : dy;
		parts.set(t.node, list);
	};
	outputs.forEach((t, i) => {
		accumulate(t, cotangents[i]);
	});
	for (const node of nodes.reverse()) {
		const dys = parts.get(node);
		if (dys && active.has(node)) withScope(node.scope, () => propagate(node, dys, active, accumulate));
	}
	return wrt.map((t) => parts.get(t.node)?.[t.index] ?? zerosLike(t));
}
/** Nodes through which the outputs depend on `wrt`; the sources themselves are not propagated through. */
function dependents(nodes, wrt) {
	const sources = new Set(wrt.map((t) => t.node));
	const active = /* @__PURE__ */ new Set();
	for (const node of nodes) if (node.inputs.some((t) => t && isDifferentiable(t) && (active.has(t.node) || sources.has(t.node)))) active.add(node);
	for (const node of sources) if (!active.has(node)) active.add(node);
	return active;
}
function propagate(node, dys, active, accumulate) {
	if (!node.inputs.some((t) => t && active.has(t.node))) return;
	const rule = opDef(node.op).vjp;
	if (!rule) throw new TesseraeError("model", `operator ${node.op} has no gradient`, { where: node.scope || void 0 });
	const dy = dys[0] ?? zerosLike(node.outputs[0]);
	const dxs = rule({
		x: node.inputs,
		y: node.outputs,
		dy,
		dys,
		attrs: node.attrs
	});
	node.inputs.forEach((x, i) => {
		const dx = dxs[i];
		if (x && dx && isDifferentiable(x) && active.has(x.node)) accumulate(x, dx);
	});
}
//#endregion
//#region src/data/random.ts
const GOLDEN = 2654435769;
function mix$1(x) {
	x = Math.imul(x ^ x >>> 16, 2246822507);
	x = Math.imul(x ^ x >>> 13, 3266489909);
	return (x ^ x >>> 16) >>> 0;
}
/** 32-bit FNV-1a over UTF-16 code units. */
function hashString(text) {
	let h = 2166136261;
	for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
	return h >>> 0;
}
var Keyed = class {
	#a = 608135816;
	#b = 2242054355;
	#counter = 0;
	#spare;
	constructor(keys) {
		for (const key of keys) if (typeof key === "string") this.#absorb(hashString(key), key.length);
		else this.#absorb(key >>> 0, Math.floor(key / 4294967296) >>> 0);
	}
	#absorb(low, high) {
		this.#a = mix$1(this.#a + Math.imul(low, GOLDEN) + 2135587861) ^ mix$1(high + GOLDEN);
		this.#b = mix$1((this.#b ^ low) + 320440878) + mix$1(this.#a ^ high);
	}
	next() {
		return mix$1(mix$1(this.#a + Math.imul(this.#counter++, GOLDEN)) ^ this.#b);
	}
	uniform() {
		return this.next() / 4294967296;
	}
	uniformIn(a, b) {
		return a + (b - a) * this.uniform();
	}
	int(n) {
		return Math.floor(this.uniform() * n);
	}
	normal() {
		if (this.#spare !== void 0) {
			const spare = this.#spare;
			this.#spare = void 0;
			return spare;
		}
		const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
		const angle = 2 * Math.PI * this.uniform();
		this.#spare = radius * Math.sin(angle);
		return radius * Math.cos(angle);
	}
};
/** The stream of (seed, ...keys), for example `keyed(seed, epoch, sample, "flip")`. */
function keyed(seed, ...keys) {
	return new Keyed([seed, ...keys]);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/is-message.js
/**
* Determine whether the given `arg` is a message.
* If `desc` is set, determine whether `arg` is this specific message.
*/
function isMessage(arg, schema) {
	if (!(arg !== null && typeof arg == "object" && "$typeName" in arg && typeof arg.$typeName == "string")) return false;
	if (schema === void 0) return true;
	return schema.typeName === arg.$typeName;
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/descriptors.js
/**
* Scalar value types. This is a subset of field types declared by protobuf
* enum google.protobuf.FieldDescriptorProto.Type The types GROUP and MESSAGE
* are omitted, but the numerical values are identical.
*/
var ScalarType;
(function(ScalarType) {
	ScalarType[ScalarType["DOUBLE"] = 1] = "DOUBLE";
	ScalarType[ScalarType["FLOAT"] = 2] = "FLOAT";
	ScalarType[ScalarType["INT64"] = 3] = "INT64";
	ScalarType[ScalarType["UINT64"] = 4] = "UINT64";
	ScalarType[ScalarType["INT32"] = 5] = "INT32";
	ScalarType[ScalarType["FIXED64"] = 6] = "FIXED64";
	ScalarType[ScalarType["FIXED32"] = 7] = "FIXED32";
	ScalarType[ScalarType["BOOL"] = 8] = "BOOL";
	ScalarType[ScalarType["STRING"] = 9] = "STRING";
	ScalarType[ScalarType["BYTES"] = 12] = "BYTES";
	ScalarType[ScalarType["UINT32"] = 13] = "UINT32";
	ScalarType[ScalarType["SFIXED32"] = 15] = "SFIXED32";
	ScalarType[ScalarType["SFIXED64"] = 16] = "SFIXED64";
	ScalarType[ScalarType["SINT32"] = 17] = "SINT32";
	ScalarType[ScalarType["SINT64"] = 18] = "SINT64";
})(ScalarType || (ScalarType = {}));
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/wire/varint.js
/**
* Read a 64 bit varint as two JS numbers.
*
* Stores the low and high words on the reader.
*
* Copyright 2008 Google Inc.  All rights reserved.
*
* See https://github.com/protocolbuffers/protobuf/blob/8a71927d74a4ce34efe2d8769fda198f52d20d12/js/experimental/runtime/kernel/buffer_decoder.js#L175
*/
function varint64read() {
	const buf = this.buf;
	let pos = this.pos;
	let lo = 0;
	let hi = 0;
	for (let shift = 0; shift < 28; shift += 7) {
		const b = buf[pos++];
		lo |= (b & 127) << shift;
		if ((b & 128) == 0) {
			this.pos = pos;
			this.assertBounds();
			this.varint64Lo = lo;
			this.varint64Hi = hi;
			return;
		}
	}
	const middleByte = buf[pos++];
	lo |= (middleByte & 15) << 28;
	hi = (middleByte & 112) >> 4;
	if ((middleByte & 128) == 0) {
		this.pos = pos;
		this.assertBounds();
		this.varint64Lo = lo;
		this.varint64Hi = hi;
		return;
	}
	for (let shift = 3; shift <= 31; shift += 7) {
		const b = buf[pos++];
		hi |= (b & 127) << shift;
		if ((b & 128) == 0) {
			this.pos = pos;
			this.assertBounds();
			this.varint64Lo = lo;
			this.varint64Hi = hi;
			return;
		}
	}
	throw new Error("invalid varint");
}
const TWO_PWR_32_DBL = 4294967296;
/**
* Parse decimal string of 64 bit integer value as two JS numbers.
*
* Copyright 2008 Google Inc.  All rights reserved.
*
* See https://github.com/protocolbuffers/protobuf-javascript/blob/a428c58273abad07c66071d9753bc4d1289de426/experimental/runtime/int64.js#L10
*/
function int64FromString(dec) {
	const minus = dec[0] === "-";
	if (minus) dec = dec.slice(1);
	const base = 1e6;
	let lowBits = 0;
	let highBits = 0;
	function add1e6digit(begin, end) {
		const digit1e6 = Number(dec.slice(begin, end));
		highBits *= base;
		lowBits = lowBits * base + digit1e6;
		if (lowBits >= TWO_PWR_32_DBL) {
			highBits = highBits + (lowBits / TWO_PWR_32_DBL | 0);
			lowBits = lowBits % TWO_PWR_32_DBL;
		}
	}
	add1e6digit(-24, -18);
	add1e6digit(-18, -12);
	add1e6digit(-12, -6);
	add1e6digit(-6);
	return minus ? negate(lowBits, highBits) : newBits(lowBits, highBits);
}
/**
* Losslessly converts a 64-bit signed integer in 32:32 split representation
* into a decimal string.
*
* Copyright 2008 Google Inc.  All rights reserved.
*
* See https://github.com/protocolbuffers/protobuf-javascript/blob/a428c58273abad07c66071d9753bc4d1289de426/experimental/runtime/int64.js#L10
*/
function int64ToString(lo, hi) {
	let bits = newBits(lo, hi);
	const negative = bits.hi & 2147483648;
	if (negative) bits = negate(bits.lo, bits.hi);
	const result = uInt64ToString(bits.lo, bits.hi);
	return negative ? "-" + result : result;
}
/**
* Losslessly converts a 64-bit unsigned integer in 32:32 split representation
* into a decimal string.
*
* Copyright 2008 Google Inc.  All rights reserved.
*
* See https://github.com/protocolbuffers/protobuf-javascript/blob/a428c58273abad07c66071d9753bc4d1289de426/experimental/runtime/int64.js#L10
*/
function uInt64ToString(lo, hi) {
	({lo, hi} = toUnsigned(lo, hi));
	if (hi <= 2097151) return String(TWO_PWR_32_DBL * hi + lo);
	const low = lo & 16777215;
	const mid = (lo >>> 24 | hi << 8) & 16777215;
	const high = hi >> 16 & 65535;
	let digitA = low + mid * 6777216 + high * 6710656;
	let digitB = mid + high * 8147497;
	let digitC = high * 2;
	const base = 1e7;
	if (digitA >= base) {
		digitB += Math.floor(digitA / base);
		digitA %= base;
	}
	if (digitB >= base) {
		digitC += Math.floor(digitB / base);
		digitB %= base;
	}
	return digitC.toString() + decimalFrom1e7WithLeadingZeros(digitB) + decimalFrom1e7WithLeadingZeros(digitA);
}
function toUnsigned(lo, hi) {
	return {
		lo: lo >>> 0,
		hi: hi >>> 0
	};
}
function newBits(lo, hi) {
	return {
		lo: lo | 0,
		hi: hi | 0
	};
}
/**
* Returns two's compliment negation of input.
* @see https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Operators/Bitwise_Operators#Signed_32-bit_integers
*/
function negate(lowBits, highBits) {
	highBits = ~highBits;
	if (lowBits) lowBits = ~lowBits + 1;
	else highBits += 1;
	return newBits(lowBits, highBits);
}
/**
* Returns decimal representation of digit1e7 with leading zeros.
*/
const decimalFrom1e7WithLeadingZeros = (digit1e7) => {
	const partial = String(digit1e7);
	return "0000000".slice(partial.length) + partial;
};
/**
* Write a 32 bit varint, signed or unsigned. Same as `varint64write(0, value, bytes)`
*
* Copyright 2008 Google Inc.  All rights reserved.
*
* See https://github.com/protocolbuffers/protobuf/blob/1b18833f4f2a2f681f4e4a25cdf3b0a43115ec26/js/binary/encoder.js#L144
*/
function varint32write(value, bytes) {
	if (value >>> 0 < 128) {
		bytes.push(value);
		return;
	}
	if (value >= 0) {
		while (value > 127) {
			bytes.push(value & 127 | 128);
			value = value >>> 7;
		}
		bytes.push(value);
	} else {
		for (let i = 0; i < 9; i++) {
			bytes.push(value & 127 | 128);
			value = value >> 7;
		}
		bytes.push(1);
	}
}
/**
* Read an unsigned 32 bit varint.
*
* See https://github.com/protocolbuffers/protobuf/blob/8a71927d74a4ce34efe2d8769fda198f52d20d12/js/experimental/runtime/kernel/buffer_decoder.js#L220
*/
function varint32read() {
	let b = this.buf[this.pos++];
	if ((b & 128) === 0) {
		this.assertBounds();
		return b;
	}
	let result = b & 127;
	b = this.buf[this.pos++];
	result |= (b & 127) << 7;
	if ((b & 128) === 0) {
		this.assertBounds();
		return result;
	}
	b = this.buf[this.pos++];
	result |= (b & 127) << 14;
	if ((b & 128) === 0) {
		this.assertBounds();
		return result;
	}
	b = this.buf[this.pos++];
	result |= (b & 127) << 21;
	if ((b & 128) === 0) {
		this.assertBounds();
		return result;
	}
	b = this.buf[this.pos++];
	result |= (b & 15) << 28;
	for (let readBytes = 5; (b & 128) !== 0 && readBytes < 10; readBytes++) b = this.buf[this.pos++];
	if ((b & 128) !== 0) throw new Error("invalid varint");
	this.assertBounds();
	return result >>> 0;
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/proto-int64.js
/**
* Int64Support for the current environment.
*/
const protoInt64 = /* @__PURE__ */ makeInt64Support();
function makeInt64Support() {
	const dv = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));
	if (typeof BigInt === "function" && typeof dv.getBigInt64 === "function" && typeof dv.getBigUint64 === "function" && typeof dv.setBigInt64 === "function" && typeof dv.setBigUint64 === "function" && (!!globalThis.Deno || !!globalThis.Bun || typeof process != "object" || typeof process.env != "object" || process.env.BUF_BIGINT_DISABLE !== "1")) {
		const MIN = BigInt("-9223372036854775808");
		const MAX = BigInt("9223372036854775807");
		const UMIN = BigInt("0");
		const UMAX = BigInt("18446744073709551615");
		return {
			zero: BigInt(0),
			supported: true,
			parse(value) {
				const bi = typeof value == "bigint" ? value : BigInt(value);
				if (bi > MAX || bi < MIN) throw new Error(`invalid int64: ${value}`);
				return bi;
			},
			uParse(value) {
				const bi = typeof value == "bigint" ? value : BigInt(value);
				if (bi > UMAX || bi < UMIN) throw new Error(`invalid uint64: ${value}`);
				return bi;
			},
			enc(value) {
				dv.setBigInt64(0, this.parse(value), true);
				return {
					lo: dv.getInt32(0, true),
					hi: dv.getInt32(4, true)
				};
			},
			uEnc(value) {
				dv.setBigInt64(0, this.uParse(value), true);
				return {
					lo: dv.getInt32(0, true),
					hi: dv.getInt32(4, true)
				};
			},
			dec(lo, hi) {
				dv.setInt32(0, lo, true);
				dv.setInt32(4, hi, true);
				return dv.getBigInt64(0, true);
			},
			uDec(lo, hi) {
				dv.setInt32(0, lo, true);
				dv.setInt32(4, hi, true);
				return dv.getBigUint64(0, true);
			}
		};
	}
	return {
		zero: "0",
		supported: false,
		parse(value) {
			if (typeof value != "string") value = value.toString();
			assertInt64String(value);
			return value;
		},
		uParse(value) {
			if (typeof value != "string") value = value.toString();
			assertUInt64String(value);
			return value;
		},
		enc(value) {
			if (typeof value != "string") value = value.toString();
			assertInt64String(value);
			return int64FromString(value);
		},
		uEnc(value) {
			if (typeof value != "string") value = value.toString();
			assertUInt64String(value);
			return int64FromString(value);
		},
		dec(lo, hi) {
			return int64ToString(lo, hi);
		},
		uDec(lo, hi) {
			return uInt64ToString(lo, hi);
		}
	};
}
function assertInt64String(value) {
	if (!/^-?[0-9]+$/.test(value)) throw new Error("invalid int64: " + value);
}
function assertUInt64String(value) {
	if (!/^[0-9]+$/.test(value)) throw new Error("invalid uint64: " + value);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/reflect/scalar.js
/**
* Returns the zero value for the given scalar type, the value a field of this
* type has when unset: 0 for numeric types, "" for strings, false for
* booleans, and an empty Uint8Array for bytes. For 64-bit integer types, the
* result is "0" when longAsString is true, otherwise 0n.
*
* This is the type's zero value, not a proto2 custom field default. For float
* and double it is +0; isScalarZeroValue treats only +0, not -0, as this value.
*/
function scalarZeroValue(type, longAsString) {
	switch (type) {
		case ScalarType.STRING: return "";
		case ScalarType.BOOL: return false;
		case ScalarType.DOUBLE:
		case ScalarType.FLOAT: return 0;
		case ScalarType.INT64:
		case ScalarType.UINT64:
		case ScalarType.SFIXED64:
		case ScalarType.FIXED64:
		case ScalarType.SINT64: return longAsString ? "0" : protoInt64.zero;
		case ScalarType.BYTES: return new Uint8Array(0);
		default: return 0;
	}
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/reflect/unsafe.js
/**
* Returns true if the field is set, but only for singular fields with explicit
* presence (proto2).
*
* @private
*/
function unsafeIsSetExplicit(target, localName) {
	return Object.prototype.hasOwnProperty.call(target, localName) && target[localName] !== void 0;
}
/**
* Set a property, treating __proto__ as an own data property.
*
* @private
*/
function setOwn(obj, key, value) {
	if (key === "__proto__") Object.defineProperty(obj, "__proto__", {
		value,
		writable: true,
		enumerable: true,
		configurable: true
	});
	else obj[key] = value;
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/reflect/guard.js
function isObject(arg) {
	return arg !== null && typeof arg == "object" && !Array.isArray(arg);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/wkt/wrappers.js
function isWrapperDesc(messageDesc) {
	const f = messageDesc.fields[0];
	return isWrapperTypeName(messageDesc.typeName) && f !== void 0 && f.fieldKind == "scalar" && f.name == "value" && f.number == 1;
}
const wrapperTypeNames = /* @__PURE__ */ new Set([
	"google.protobuf.DoubleValue",
	"google.protobuf.FloatValue",
	"google.protobuf.Int64Value",
	"google.protobuf.UInt64Value",
	"google.protobuf.Int32Value",
	"google.protobuf.UInt32Value",
	"google.protobuf.BoolValue",
	"google.protobuf.StringValue",
	"google.protobuf.BytesValue"
]);
function isWrapperTypeName(name) {
	return wrapperTypeNames.has(name);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/create.js
const EDITION_PROTO3$1 = 999;
const EDITION_PROTO2$1 = 998;
const IMPLICIT$2 = 2;
/**
* Create a new message instance.
*
* The second argument is an optional initializer object, where all fields are
* optional.
*/
function create(schema, init) {
	if (isMessage(init, schema)) return init;
	return compiledCreate(schema)(init);
}
const compiledCreates = /* @__PURE__ */ new WeakMap();
/**
* Return the compiled create function for a message, compiling it on first use. */
function compiledCreate(desc) {
	let compiled = compiledCreates.get(desc);
	if (compiled === void 0) {
		compiled = compileCreate(desc);
		compiledCreates.set(desc, compiled);
	}
	return compiled;
}
/** Singular field: scalar, enum, or message. */
const INIT_SINGULAR = 0;
/** List field: a zero message has a fresh empty array. */
const INIT_LIST = 1;
/** Map field: a zero message has a fresh empty object. */
const INIT_MAP = 2;
/** Oneof group: the ADT is always stored, cases convert by case name. */
const INIT_ONEOF = 3;
function compileCreate(desc) {
	const typeName = desc.typeName;
	const { properties, prototype } = compileInitMessage(desc);
	return (init) => {
		let message;
		if (prototype !== void 0) {
			message = Object.create(prototype);
			message.$typeName = typeName;
		} else message = { $typeName: typeName };
		for (let i = 0; i < properties.length; i++) {
			const property = properties[i];
			const name = property.name;
			const initValue = init === null || init === void 0 ? void 0 : init[name];
			switch (property.kind) {
				case INIT_SINGULAR:
					if (initValue != null) message[name] = property.convert !== void 0 ? property.convert(initValue) : initValue;
					else if (property.constant !== void 0) message[name] = property.constant;
					break;
				case INIT_LIST:
					message[name] = property.convert !== void 0 && Array.isArray(initValue) ? initValue.map(property.convert) : initValue !== null && initValue !== void 0 ? initValue : [];
					break;
				case INIT_MAP:
					if (property.convert === void 0 || !isObject(initValue)) message[name] = initValue !== null && initValue !== void 0 ? initValue : {};
					else {
						const converted = {};
						const keys = Object.keys(initValue);
						for (let k = 0; k < keys.length; k++) setOwn(converted, keys[k], property.convert(initValue[keys[k]]));
						message[name] = converted;
					}
					break;
				case INIT_ONEOF: {
					const oneofValue = initValue;
					if ((oneofValue === null || oneofValue === void 0 ? void 0 : oneofValue.case) != null) {
						const convert = property.convert.get(oneofValue.case);
						if (convert !== void 0) {
							message[name] = {
								case: oneofValue.case,
								value: convert(oneofValue.value)
							};
							break;
						}
					}
					message[name] = { case: void 0 };
					break;
				}
			}
		}
		return message;
	};
}
/**
* Classify every member once, so that creating a message is a walk over a
* compact list instead of a walk over the descriptor.
*/
function compileInitMessage(desc) {
	var _a, _b;
	const properties = [];
	const prototype = {};
	const usePrototype = needsPrototypeChain(desc);
	for (const member of desc.members) {
		const name = member.localName;
		if (member.kind == "oneof") {
			properties.push({
				name,
				kind: INIT_ONEOF,
				constant: void 0,
				convert: compileConvertOneof(member)
			});
			continue;
		}
		switch (member.fieldKind) {
			case "message":
				properties.push({
					name,
					kind: INIT_SINGULAR,
					constant: void 0,
					convert: compileConvertMessage(member)
				});
				break;
			case "list":
				properties.push({
					name,
					kind: INIT_LIST,
					constant: void 0,
					convert: member.listKind == "message" ? (_a = compileConvertMessage(member)) !== null && _a !== void 0 ? _a : ((value) => value) : member.scalar == ScalarType.BYTES ? toU8Arr : void 0
				});
				break;
			case "map":
				properties.push({
					name,
					kind: INIT_MAP,
					constant: void 0,
					convert: member.mapKind == "message" ? (_b = compileConvertMessage(member)) !== null && _b !== void 0 ? _b : ((value) => value) : member.scalar == ScalarType.BYTES ? toU8Arr : void 0
				});
				break;
			default: {
				const zeroValue = createZeroValue(member);
				properties.push({
					name,
					kind: INIT_SINGULAR,
					constant: member.presence == IMPLICIT$2 ? zeroValue : void 0,
					convert: member.fieldKind == "scalar" && member.scalar == ScalarType.BYTES ? toU8Arr : void 0
				});
				if (usePrototype) prototype[name] = zeroValue;
				break;
			}
		}
	}
	return {
		properties,
		prototype: usePrototype ? prototype : void 0
	};
}
/**
* Compile the conversion of each case of a oneof group, keyed by case name.
*/
function compileConvertOneof(oneof) {
	const converters = /* @__PURE__ */ new Map();
	for (const field of oneof.fields) {
		let convert;
		if (field.fieldKind == "message") convert = compileConvertMessage(field);
		else if (field.fieldKind == "scalar" && field.scalar == ScalarType.BYTES) convert = toU8Arr;
		converters.set(field.localName, convert !== null && convert !== void 0 ? convert : ((value) => value));
	}
	return converters;
}
/**
* Compile the conversion of an init value for a message field, a message
* list item, or a message map value. Returns undefined if values are used
* as-is.
*/
function compileConvertMessage(field) {
	if (field.fieldKind == "message" && !field.oneof && isWrapperDesc(field.message)) return field.message.fields[0].scalar == ScalarType.BYTES ? toU8Arr : void 0;
	if (field.message.typeName == "google.protobuf.Struct" && field.parent.typeName !== "google.protobuf.Value") return;
	const messageDesc = field.message;
	let compiled;
	return (value) => {
		if (!isObject(value) || isMessage(value, messageDesc)) return value;
		compiled !== null && compiled !== void 0 || (compiled = compiledCreate(messageDesc));
		return compiled(value);
	};
}
function toU8Arr(value) {
	return Array.isArray(value) ? new Uint8Array(value) : value;
}
/**
* Do we need the prototype chain to track field presence?
*/
function needsPrototypeChain(desc) {
	switch (desc.file.edition) {
		case EDITION_PROTO3$1: return false;
		case EDITION_PROTO2$1: return true;
		default: return desc.fields.some((f) => f.presence != IMPLICIT$2 && f.fieldKind != "message" && !f.oneof);
	}
}
/**
* Returns the zero value for a scalar or enum field. Scalar and enum fields
* can have default values.
*/
function createZeroValue(field) {
	const defaultValue = field.getDefaultValue();
	if (defaultValue !== void 0) return field.fieldKind == "scalar" && field.longAsString ? defaultValue.toString() : defaultValue;
	return field.fieldKind == "scalar" ? scalarZeroValue(field.scalar, field.longAsString) : field.enum.values[0].number;
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/reflect/error.js
var FieldError = class extends Error {
	constructor(fieldOrOneof, message, name = "FieldValueInvalidError") {
		super(message);
		this.name = name;
		this.field = () => fieldOrOneof;
	}
};
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/wire/text-encoding.js
let te;
/**
* Protobuf-ES requires the Text Encoding API to convert UTF-8 from and to
* binary. This WHATWG API is widely available, but it is not part of the
* ECMAScript standard. This function used to be the way to supply an
* implementation on runtimes that do not provide one.
*
* It only configures the copy of the library it is imported from. To provide
* the encoding API for every copy of Protobuf-ES in an isolate, install
* `TextEncoder` (with the methods `encode` and optionally `encodeInto`) and
* `TextDecoder` (with the `fatal: true` and `ignoreBOM: true` constructor
* arguments and the `decode` method) on `globalThis`.
*
* Providing `encodeUtf8Into` is optional for backwards compatibility. If it
* is omitted, we emulate it with a wrapper that calls `encodeUtf8`.
*
* Note that the Text Encoding API does not provide a way to validate UTF-8.
* Our implementation uses String.prototype.isWellFormed, and falls back
* to use encodeURIComponent().
*
* @deprecated Install `TextEncoder` and `TextDecoder` on `globalThis` instead.
*/
function configureTextEncoding(textEncoding) {
	var _a;
	te = Object.assign(Object.assign({}, textEncoding), { encodeUtf8Into: (_a = textEncoding.encodeUtf8Into) !== null && _a !== void 0 ? _a : emulateEncodeInto(textEncoding.encodeUtf8.bind(textEncoding)) });
}
function getTextEncoding() {
	if (!te) {
		const globals = globalThis;
		if (!globals.TextEncoder || !globals.TextDecoder) throw new Error("encoding API missing: install TextEncoder and TextDecoder on globalThis");
		const textEncoder = new globals.TextEncoder();
		const textDecoder = new globals.TextDecoder("utf-8", { ignoreBOM: true });
		let textDecoderStrict;
		const config = {
			encodeUtf8(text) {
				return textEncoder.encode(text);
			},
			decodeUtf8(bytes, strict) {
				if (strict) {
					if (!textDecoderStrict) textDecoderStrict = new globals.TextDecoder("utf-8", {
						fatal: true,
						ignoreBOM: true
					});
					return textDecoderStrict.decode(bytes);
				}
				return textDecoder.decode(bytes);
			},
			checkUtf8(text) {
				try {
					return true;
				} catch (_) {
					return false;
				}
			}
		};
		if (textEncoder.encodeInto) config.encodeUtf8Into = textEncoder.encodeInto.bind(textEncoder);
		const nativeStringIsWellFormed = String.prototype.isWellFormed;
		if (nativeStringIsWellFormed) config.checkUtf8 = (text) => {
			return nativeStringIsWellFormed.call(text);
		};
		configureTextEncoding(config);
	}
	return te;
}
/**
* Simplistic polyfill for encodeUtf8Into.
*
* @private
*/
function emulateEncodeInto(encodeUtf8) {
	return (text, dest) => {
		const bytes = encodeUtf8(text);
		dest.set(bytes);
		return { written: bytes.byteLength };
	};
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/wire/binary-encoding.js
/**
* Protobuf binary format wire types.
*
* A wire type provides just enough information to find the length of the
* following value.
*
* See https://developers.google.com/protocol-buffers/docs/encoding#structure
*/
var WireType;
(function(WireType) {
	/**
	* Used for int32, int64, uint32, uint64, sint32, sint64, bool, enum
	*/
	WireType[WireType["Varint"] = 0] = "Varint";
	/**
	* Used for fixed64, sfixed64, double.
	* Always 8 bytes with little-endian byte order.
	*/
	WireType[WireType["Bit64"] = 1] = "Bit64";
	/**
	* Used for string, bytes, embedded messages, packed repeated fields
	*
	* Only repeated numeric types (types which use the varint, 32-bit,
	* or 64-bit wire types) can be packed. In proto3, such fields are
	* packed by default.
	*/
	WireType[WireType["LengthDelimited"] = 2] = "LengthDelimited";
	/**
	* Start of a tag-delimited aggregate, such as a proto2 group, or a message
	* in editions with message_encoding = DELIMITED.
	*/
	WireType[WireType["StartGroup"] = 3] = "StartGroup";
	/**
	* End of a tag-delimited aggregate.
	*/
	WireType[WireType["EndGroup"] = 4] = "EndGroup";
	/**
	* Used for fixed32, sfixed32, float.
	* Always 4 bytes with little-endian byte order.
	*/
	WireType[WireType["Bit32"] = 5] = "Bit32";
})(WireType || (WireType = {}));
var BinaryWriter = class {
	constructor(encodeUtf8) {
		/**
		* Previous fork positions (the write position at the time
		* `fork()` was called).
		*/
		this.stackPos = [];
		this.encodeUtf8Into = encodeUtf8 ? emulateEncodeInto(encodeUtf8) : getTextEncoding().encodeUtf8Into;
		this.buffer = EMPTY_BUFFER;
		this.viewCache = EMPTY_VIEW;
		this.pos = 0;
	}
	ensureCapacity(size) {
		const required = this.pos + size;
		if (required > this.buffer.length) {
			let newLen = this.buffer.length || INITIAL_SIZE;
			while (newLen < required) newLen *= 2;
			const newBuf = new Uint8Array(newLen);
			if (this.pos > 0) newBuf.set(this.buffer);
			this.buffer = newBuf;
		}
	}
	/**
	* The DataView over `buffer`, rebuilt only if the buffer has grown since it
	* was last used.
	*/
	view() {
		const bytes = this.buffer;
		const view = this.viewCache;
		if (view.byteLength === bytes.byteLength) return view;
		const newView = new DataView(bytes.buffer);
		this.viewCache = newView;
		return newView;
	}
	/**
	* Return all bytes written and reset this writer.
	*/
	finish() {
		const result = this.buffer.slice(0, this.pos);
		this.pos = 0;
		this.stackPos = [];
		return result;
	}
	/**
	* Start a new fork for length-delimited data like a message
	* or a packed repeated field.
	*
	* Must be joined later with `join()`.
	*/
	fork() {
		this.stackPos.push(this.pos);
		this.ensureCapacity(DEFAULT_LEN_PREFIX_SIZE);
		this.buffer[this.pos++] = 0;
		return this;
	}
	/**
	* Join the last fork. Write its length and bytes, then
	* return to the previous state.
	*/
	join() {
		const forkPos = this.stackPos.pop();
		if (forkPos === void 0) throw new Error("invalid state, fork stack empty");
		const len = this.pos - forkPos - DEFAULT_LEN_PREFIX_SIZE;
		const lenPrefixSize = varint32Size(len);
		if (lenPrefixSize > DEFAULT_LEN_PREFIX_SIZE) {
			this.ensureCapacity(lenPrefixSize - DEFAULT_LEN_PREFIX_SIZE);
			this.buffer.copyWithin(forkPos + lenPrefixSize, forkPos + DEFAULT_LEN_PREFIX_SIZE, this.pos);
		}
		this.pos = forkPos;
		this.uint32(len);
		this.pos += len;
		return this;
	}
	/**
	* Writes a tag (field number and wire type).
	*
	* Equivalent to `uint32( (fieldNo << 3 | type) >>> 0 )`.
	*
	* Generated code should compute the tag ahead of time and call `uint32()`.
	*/
	tag(fieldNo, type) {
		return this.uint32((fieldNo << 3 | type) >>> 0);
	}
	/**
	* Write a chunk of raw bytes.
	*/
	raw(chunk) {
		this.ensureCapacity(chunk.length);
		this.buffer.set(chunk, this.pos);
		this.pos += chunk.length;
		return this;
	}
	/**
	* Write a `uint32` value, an unsigned 32 bit varint.
	*/
	uint32(value) {
		assertUInt32(value);
		this.ensureCapacity(5);
		if (value < 128) {
			this.buffer[this.pos++] = value;
			return this;
		}
		while (value > 127) {
			this.buffer[this.pos++] = value & 127 | 128;
			value >>>= 7;
		}
		this.buffer[this.pos++] = value;
		return this;
	}
	/**
	* Write a `int32` value, a signed 32 bit varint.
	*/
	int32(value) {
		assertInt32(value);
		if (value >= 0) return this.uint32(value);
		this.ensureCapacity(10);
		for (let i = 0; i < 9; i++) {
			this.buffer[this.pos++] = value & 127 | 128;
			value >>= 7;
		}
		this.buffer[this.pos++] = 1;
		return this;
	}
	/**
	* Write a `bool` value, a varint.
	*/
	bool(value) {
		this.ensureCapacity(1);
		this.buffer[this.pos++] = value ? 1 : 0;
		return this;
	}
	/**
	* Write a `bytes` value, length-delimited arbitrary data.
	*/
	bytes(value) {
		this.uint32(value.byteLength);
		return this.raw(value);
	}
	/**
	* Write a `string` value, length-delimited data converted to UTF-8 text.
	*/
	string(value) {
		if (typeof value !== "string") value = String(value);
		const len = value.length;
		if (len <= ASCII_MAX_LENGTH) {
			this.ensureCapacity(len + 1);
			const ascii = this.buffer;
			let pos = this.pos;
			ascii[pos++] = len;
			let i = 0;
			for (; i < len; i++) {
				const code = value.charCodeAt(i);
				if (code > 127) break;
				ascii[pos++] = code;
			}
			if (i == len) {
				this.pos = pos;
				return this;
			}
		}
		this.ensureCapacity(len * 3 + 5);
		const lenPrefixSizeGuess = varint32Size(len);
		const buf = this.buffer;
		const start = this.pos;
		const { written } = this.encodeUtf8Into(value, buf.subarray(start + lenPrefixSizeGuess));
		const lenPrefixSize = varint32Size(written);
		if (lenPrefixSize != lenPrefixSizeGuess) buf.copyWithin(start + lenPrefixSize, start + lenPrefixSizeGuess, start + lenPrefixSizeGuess + written);
		this.uint32(written);
		this.pos += written;
		return this;
	}
	/**
	* Write a `float` value, 32-bit floating point number.
	*/
	float(value) {
		assertFloat32(value);
		this.ensureCapacity(4);
		this.view().setFloat32(this.pos, value, true);
		this.pos += 4;
		return this;
	}
	/**
	* Write a `double` value, a 64-bit floating point number.
	*/
	double(value) {
		this.ensureCapacity(8);
		this.view().setFloat64(this.pos, value, true);
		this.pos += 8;
		return this;
	}
	/**
	* Write a `fixed32` value, an unsigned, fixed-length 32-bit integer.
	*/
	fixed32(value) {
		assertUInt32(value);
		this.ensureCapacity(4);
		this.view().setUint32(this.pos, value, true);
		this.pos += 4;
		return this;
	}
	/**
	* Write a `sfixed32` value, a signed, fixed-length 32-bit integer.
	*/
	sfixed32(value) {
		assertInt32(value);
		this.ensureCapacity(4);
		this.view().setInt32(this.pos, value, true);
		this.pos += 4;
		return this;
	}
	/**
	* Write a `sint32` value, a signed, zigzag-encoded 32-bit varint.
	*/
	sint32(value) {
		assertInt32(value);
		return this.uint32((value << 1 ^ value >> 31) >>> 0);
	}
	/**
	* Write a `sfixed64` value, a signed, fixed-length 64-bit integer.
	*/
	sfixed64(value) {
		const tc = protoInt64.enc(value);
		this.ensureCapacity(8);
		const view = this.view();
		view.setInt32(this.pos, tc.lo, true);
		view.setInt32(this.pos + 4, tc.hi, true);
		this.pos += 8;
		return this;
	}
	/**
	* Write a `fixed64` value, an unsigned, fixed-length 64 bit integer.
	*/
	fixed64(value) {
		const tc = protoInt64.uEnc(value);
		this.ensureCapacity(8);
		const view = this.view();
		view.setInt32(this.pos, tc.lo, true);
		view.setInt32(this.pos + 4, tc.hi, true);
		this.pos += 8;
		return this;
	}
	/**
	* Write a `int64` value, a signed 64-bit varint.
	*/
	int64(value) {
		const tc = protoInt64.enc(value);
		return this.writeVarint64(tc.lo, tc.hi);
	}
	/**
	* Write a `sint64` value, a signed, zig-zag-encoded 64-bit varint.
	*/
	sint64(value) {
		const tc = protoInt64.enc(value), sign = tc.hi >> 31, lo = tc.lo << 1 ^ sign, hi = (tc.hi << 1 | tc.lo >>> 31) ^ sign;
		return this.writeVarint64(lo, hi);
	}
	/**
	* Write a `uint64` value, an unsigned 64-bit varint.
	*/
	uint64(value) {
		const tc = protoInt64.uEnc(value);
		return this.writeVarint64(tc.lo, tc.hi);
	}
	/**
	* Write a 64-bit varint directly into the buffer. Accepts the value as
	* split low/high 32-bit words.
	*
	* Ported from varint64write() to avoid the intermediate number[] buffer.
	* See https://github.com/protocolbuffers/protobuf/blob/8a71927d74a4ce34efe2d8769fda198f52d20d12/js/experimental/runtime/kernel/writer.js#L344
	*/
	writeVarint64(lo, hi) {
		this.ensureCapacity(10);
		const buf = this.buffer;
		let pos = this.pos;
		for (let i = 0; i < 28; i = i + 7) {
			const shift = lo >>> i;
			const hasNext = !(shift >>> 7 == 0 && hi == 0);
			buf[pos++] = (hasNext ? shift | 128 : shift) & 255;
			if (!hasNext) {
				this.pos = pos;
				return this;
			}
		}
		const splitBits = lo >>> 28 & 15 | (hi & 7) << 4;
		const hasMoreBits = !(hi >> 3 == 0);
		buf[pos++] = (hasMoreBits ? splitBits | 128 : splitBits) & 255;
		if (!hasMoreBits) {
			this.pos = pos;
			return this;
		}
		for (let i = 3; i < 31; i = i + 7) {
			const shift = hi >>> i;
			const hasNext = !(shift >>> 7 == 0);
			buf[pos++] = (hasNext ? shift | 128 : shift) & 255;
			if (!hasNext) {
				this.pos = pos;
				return this;
			}
		}
		buf[pos++] = hi >>> 31 & 1;
		this.pos = pos;
		return this;
	}
};
/**
* Capacity of the buffer allocated by the first write..
*/
const INITIAL_SIZE = 128;
/**
* Bytes `fork()` reserves for the length prefix, betting that the payload will
* be under 128 bytes. `join()` fills them in, and widens them if the bet was
* wrong.
*/
const DEFAULT_LEN_PREFIX_SIZE = 1;
/**
* Shared empty buffer used as the initial value before the first write.
* Avoids allocating and zeroing `INITIAL_SIZE` bytes per BinaryWriter when a
* writer is only used for a tiny message (or not used at all).
*/
const EMPTY_BUFFER = new Uint8Array(0);
/**
* Shared empty view, paired with `EMPTY_BUFFER`. Never written to: any
* fixed-width write first grows the buffer, which replaces this view.
*/
const EMPTY_VIEW = new DataView(EMPTY_BUFFER.buffer);
/**
* Longest string on the ASCII fast paths. Must stay below 0x80, so
* that the writer's length prefix always fits a single varint byte.
*/
const ASCII_MAX_LENGTH = 32;
/**
* Number of bytes needed to encode `value` as an unsigned 32-bit varint.
*/
function varint32Size(value) {
	if (value < 128) return 1;
	if (value < 16384) return 2;
	if (value < 2097152) return 3;
	if (value < 268435456) return 4;
	return 5;
}
var BinaryReader = class {
	constructor(buf, decodeUtf8 = getTextEncoding().decodeUtf8) {
		this.decodeUtf8 = decodeUtf8;
		this.varint64Lo = 0;
		this.varint64Hi = 0;
		this.varint64 = varint64read;
		/**
		* Read a `uint32` field, an unsigned 32 bit varint.
		*/
		this.uint32 = varint32read;
		this.buf = buf;
		this.len = buf.length;
		this.pos = 0;
		this.view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
	}
	/**
	* Reads a tag - field number and wire type. Tags are uint32 varints; values
	* that do not fit in uint32 are rejected.
	*/
	tag() {
		const start = this.pos;
		const tag = this.uint32();
		const bytesRead = this.pos - start;
		if (bytesRead > 5 || bytesRead == 5 && this.buf[this.pos - 1] > 15) throw new Error("illegal tag: varint overflows uint32");
		const fieldNo = tag >>> 3;
		const wireType = tag & 7;
		if (fieldNo <= 0 || wireType > 5) throw new Error("illegal tag: field no " + fieldNo + " wire type " + wireType);
		return [fieldNo, wireType];
	}
	/**
	* Skip one element and return the skipped data.
	*
	* When skipping StartGroup, provide the tags field number to check for
	* matching field number in the EndGroup tag. Recursion into nested groups
	* is guarded by the `recursionLimit` argument: When the limit is reached,
	* this method throws.
	*/
	skip(wireType, fieldNo, recursionLimit = 100) {
		let start = this.pos;
		switch (wireType) {
			case WireType.Varint:
				while (this.buf[this.pos++] & 128);
				break;
			case WireType.Bit64: this.pos += 4;
			case WireType.Bit32:
				this.pos += 4;
				break;
			case WireType.LengthDelimited:
				let len = this.uint32();
				this.pos += len;
				break;
			case WireType.StartGroup:
				if (recursionLimit <= 0) throw new Error("maximum recursion depth reached");
				for (;;) {
					const [fn, wt] = this.tag();
					if (wt === WireType.EndGroup) {
						if (fieldNo !== void 0 && fn !== fieldNo) throw new Error("invalid end group tag");
						break;
					}
					this.skip(wt, fn, recursionLimit - 1);
				}
				break;
			default: throw new Error("cant skip wire type " + wireType);
		}
		this.assertBounds();
		return this.buf.subarray(start, this.pos);
	}
	/**
	* Throws error if position in byte array is out of range.
	*/
	assertBounds() {
		if (this.pos > this.len) throw new RangeError("premature EOF");
	}
	/**
	* Read a `int32` field, a signed 32 bit varint.
	*/
	int32() {
		return this.uint32() | 0;
	}
	/**
	* Read a `sint32` field, a signed, zigzag-encoded 32-bit varint.
	*/
	sint32() {
		let zze = this.uint32();
		return zze >>> 1 ^ -(zze & 1);
	}
	/**
	* Read a `int64` field, a signed 64-bit varint.
	*/
	int64() {
		this.varint64();
		return protoInt64.dec(this.varint64Lo, this.varint64Hi);
	}
	/**
	* Read a `uint64` field, an unsigned 64-bit varint.
	*/
	uint64() {
		this.varint64();
		return protoInt64.uDec(this.varint64Lo, this.varint64Hi);
	}
	/**
	* Read a `sint64` field, a signed, zig-zag-encoded 64-bit varint.
	*/
	sint64() {
		this.varint64();
		let lo = this.varint64Lo;
		let hi = this.varint64Hi;
		let s = -(lo & 1);
		lo = (lo >>> 1 | (hi & 1) << 31) ^ s;
		hi = hi >>> 1 ^ s;
		return protoInt64.dec(lo, hi);
	}
	/**
	* Read a `bool` field, a variant.
	*/
	bool() {
		const b = this.buf[this.pos];
		if (b < 128) {
			this.pos++;
			return b !== 0;
		}
		this.varint64();
		return this.varint64Lo !== 0 || this.varint64Hi !== 0;
	}
	/**
	* Read a `fixed32` field, an unsigned, fixed-length 32-bit integer.
	*/
	fixed32() {
		return this.view.getUint32((this.pos += 4) - 4, true);
	}
	/**
	* Read a `sfixed32` field, a signed, fixed-length 32-bit integer.
	*/
	sfixed32() {
		return this.view.getInt32((this.pos += 4) - 4, true);
	}
	/**
	* Read a `fixed64` field, an unsigned, fixed-length 64 bit integer.
	*/
	fixed64() {
		return protoInt64.uDec(this.sfixed32(), this.sfixed32());
	}
	/**
	* Read a `fixed64` field, a signed, fixed-length 64-bit integer.
	*/
	sfixed64() {
		return protoInt64.dec(this.sfixed32(), this.sfixed32());
	}
	/**
	* Read a `float` field, 32-bit floating point number.
	*/
	float() {
		return this.view.getFloat32((this.pos += 4) - 4, true);
	}
	/**
	* Read a `double` field, a 64-bit floating point number.
	*/
	double() {
		return this.view.getFloat64((this.pos += 8) - 8, true);
	}
	/**
	* Read a `bytes` field, length-delimited arbitrary data.
	*/
	bytes() {
		let len = this.uint32(), start = this.pos;
		this.pos += len;
		this.assertBounds();
		return this.buf.subarray(start, start + len);
	}
	/**
	* Read a `string` field, length-delimited data converted to UTF-8 text. If
	* `strict` is true, throw on invalid UTF-8 instead of substituting U+FFFD.
	*/
	string(strict) {
		const len = this.uint32();
		const start = this.pos;
		this.pos += len;
		this.assertBounds();
		const buf = this.buf;
		if (len <= ASCII_MAX_LENGTH) {
			const codes = new Array(len);
			for (let i = 0; i < len; i++) {
				const byte = buf[start + i];
				if (byte > 127) return this.decodeUtf8(buf.subarray(start, this.pos), strict);
				codes[i] = byte;
			}
			return String.fromCharCode.apply(String, codes);
		}
		return this.decodeUtf8(buf.subarray(start, this.pos), strict);
	}
};
/**
* Assert a valid signed protobuf 32-bit integer as a number or string.
*/
function assertInt32(arg) {
	if (typeof arg == "string") arg = Number(arg);
	else if (typeof arg != "number") throw new Error("invalid int32: " + typeof arg);
	if (!Number.isInteger(arg) || arg > 2147483647 || arg < -2147483648) throw new Error("invalid int32: " + arg);
}
/**
* Assert a valid unsigned protobuf 32-bit integer as a number or string.
*/
function assertUInt32(arg) {
	if (typeof arg == "string") arg = Number(arg);
	else if (typeof arg != "number") throw new Error("invalid uint32: " + typeof arg);
	if (!Number.isInteger(arg) || arg > 4294967295 || arg < 0) throw new Error("invalid uint32: " + arg);
}
/**
* Assert a valid protobuf float32 value as a number or string.
*/
function assertFloat32(arg) {
	if (typeof arg == "string") {
		const o = arg;
		arg = Number(arg);
		if (Number.isNaN(arg) && o !== "NaN") throw new Error("invalid float32: " + o);
	} else if (typeof arg != "number") throw new Error("invalid float32: " + typeof arg);
	if (!Number.isFinite(Math.fround(arg)) && Number.isFinite(arg)) throw new Error("invalid float32: " + arg);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/reflect/message.js
const NULL_VALUE = 0;
/**
* Return the conversions between the local representation of the field
* value and the message it represents.
*
* @private
*/
function localMessageMapper(field) {
	if (usesJsonRepresentation(field)) return {
		toMessage: (local) => wktStructToReflect(local),
		toLocal: (message) => wktStructToLocal(message)
	};
	if (field.fieldKind == "message" && !field.oneof && isWrapperDesc(field.message)) {
		const wrapperDesc = field.message;
		const valueLocalName = wrapperDesc.fields[0].localName;
		return {
			toMessage: (local) => {
				const message = create(wrapperDesc);
				if (local !== void 0) message[valueLocalName] = local;
				return message;
			},
			toLocal: (message) => message[valueLocalName]
		};
	}
	const childDesc = field.message;
	return {
		toMessage: (local) => local === void 0 ? create(childDesc) : local,
		toLocal: (message) => message
	};
}
/**
* Returns true if values of this field are stored as JsonValue instead of
* a message: google.protobuf.Struct is represented with JsonObject when
* used in a field, except when used in google.protobuf.Value.
*/
function usesJsonRepresentation(field) {
	return field.message.typeName == "google.protobuf.Struct" && field.parent.typeName != "google.protobuf.Value";
}
/**
* Convert the JsonValue representation of a google.protobuf.Struct to the
* message representation.
*
* @private
*/
function wktStructToReflect(json) {
	const struct = {
		$typeName: "google.protobuf.Struct",
		fields: {}
	};
	if (isObject(json)) for (const k of Object.keys(json)) setOwn(struct.fields, k, wktValueToReflect(json[k]));
	return struct;
}
/**
* Convert a google.protobuf.Struct message to its JsonValue representation.
*
* @private
*/
function wktStructToLocal(val) {
	const json = {};
	for (const k of Object.keys(val.fields)) setOwn(json, k, wktValueToLocal(val.fields[k]));
	return json;
}
function wktValueToLocal(val) {
	switch (val.kind.case) {
		case "structValue": return wktStructToLocal(val.kind.value);
		case "listValue": return val.kind.value.values.map(wktValueToLocal);
		case "nullValue":
		case void 0: return null;
		default: return val.kind.value;
	}
}
function wktValueToReflect(json) {
	const value = {
		$typeName: "google.protobuf.Value",
		kind: { case: void 0 }
	};
	switch (typeof json) {
		case "number":
			value.kind = {
				case: "numberValue",
				value: json
			};
			break;
		case "string":
			value.kind = {
				case: "stringValue",
				value: json
			};
			break;
		case "boolean":
			value.kind = {
				case: "boolValue",
				value: json
			};
			break;
		case "object":
			if (json === null) value.kind = {
				case: "nullValue",
				value: NULL_VALUE
			};
			else if (Array.isArray(json)) {
				const listValue = {
					$typeName: "google.protobuf.ListValue",
					values: []
				};
				if (Array.isArray(json)) for (const e of json) listValue.values.push(wktValueToReflect(e));
				value.kind = {
					case: "listValue",
					value: listValue
				};
			} else value.kind = {
				case: "structValue",
				value: wktStructToReflect(json)
			};
			break;
	}
	return value;
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/wire/base64-encoding.js
const nativeSetFromBase64 = Uint8Array.prototype.setFromBase64;
/**
* Decodes a base64 string to a byte array.
*
* - ignores white-space, including line breaks and tabs
* - allows inner padding (can decode concatenated base64 strings)
* - does not require padding
* - understands base64url encoding:
*   "-" instead of "+",
*   "_" instead of "/",
*   no padding
*/
function base64Decode(base64Str) {
	const len = base64Str.length;
	let size = len - (len + 3 >> 2);
	if ((len & 3) == 0 && base64Str[len - 1] == "=") size -= base64Str[len - 2] == "=" ? 2 : 1;
	const bytes = new Uint8Array(size);
	let written = -1;
	if (nativeSetFromBase64) try {
		const result = nativeSetFromBase64.call(bytes, base64Str);
		if (result.read == len) written = result.written;
	} catch (_a) {}
	if (written < 0) written = setFromBase64(bytes, base64Str);
	return written == size ? bytes : bytes.subarray(0, written);
}
/** Writes into `bytes` from index 0 and returns the number of bytes written. */
function setFromBase64(bytes, base64Str) {
	const table = getDecodeTable();
	let bytePos = 0, groupPos = 0, b, p = 0;
	for (let i = 0; i < base64Str.length; i++) {
		b = table[base64Str.charCodeAt(i)];
		if (b === void 0) switch (base64Str[i]) {
			case "=": groupPos = 0;
			case "\n":
			case "\r":
			case "	":
			case " ": continue;
			default: throw Error("invalid base64 string");
		}
		switch (groupPos) {
			case 0:
				p = b;
				groupPos = 1;
				break;
			case 1:
				bytes[bytePos++] = p << 2 | (b & 48) >> 4;
				p = b;
				groupPos = 2;
				break;
			case 2:
				bytes[bytePos++] = (p & 15) << 4 | (b & 60) >> 2;
				p = b;
				groupPos = 3;
				break;
			case 3:
				bytes[bytePos++] = (p & 3) << 6 | b;
				groupPos = 0;
				break;
		}
	}
	if (groupPos == 1) throw Error("invalid base64 string");
	return bytePos;
}
Uint8Array.prototype.toBase64;
let encodeTableStd;
let encodeTableUrl;
let decodeTable;
function getEncodeTable(encoding) {
	if (!encodeTableStd) {
		encodeTableStd = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".split("");
		encodeTableUrl = encodeTableStd.slice(0, -2).concat("-", "_");
	}
	return encoding == "url" ? encodeTableUrl : encodeTableStd;
}
function getDecodeTable() {
	if (!decodeTable) {
		decodeTable = [];
		const encodeTable = getEncodeTable("std");
		for (let i = 0; i < encodeTable.length; i++) decodeTable[encodeTable[i].charCodeAt(0)] = i;
		decodeTable["-".charCodeAt(0)] = encodeTable.indexOf("+");
		decodeTable["_".charCodeAt(0)] = encodeTable.indexOf("/");
	}
	return decodeTable;
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/reflect/names.js
/**
* Converts snake_case to protoCamelCase according to the convention
* used by protoc to convert a field name to a JSON name.
*
* See https://protobuf.com/docs/language-spec#default-json-names
*
* The function protoSnakeCase provides the reverse.
*/
function protoCamelCase(snakeCase) {
	let capNext = false;
	const b = [];
	for (let i = 0; i < snakeCase.length; i++) {
		let c = snakeCase.charAt(i);
		switch (c) {
			case "_":
				capNext = true;
				break;
			case "0":
			case "1":
			case "2":
			case "3":
			case "4":
			case "5":
			case "6":
			case "7":
			case "8":
			case "9":
				b.push(c);
				capNext = false;
				break;
			default:
				if (capNext) {
					capNext = false;
					c = c.toUpperCase();
				}
				b.push(c);
				break;
		}
	}
	return b.join("");
}
/**
* Names that cannot be used for object properties because they are reserved
* by built-in JavaScript properties.
*/
const reservedObjectProperties = new Set([
	"constructor",
	"toString",
	"toJSON",
	"valueOf"
]);
/**
* Escapes names that are reserved for ECMAScript built-in object properties.
*
* Also see safeIdentifier() from @bufbuild/protoplugin.
*/
function safeObjectProperty(name) {
	return reservedObjectProperties.has(name) ? name + "$" : name;
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/codegenv2/restore-json-names.js
/**
* @private
*/
function restoreJsonNames(message) {
	for (const f of message.field) if (!unsafeIsSetExplicit(f, "jsonName")) f.jsonName = protoCamelCase(f.name);
	message.nestedType.forEach(restoreJsonNames);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/wire/text-format.js
/**
* Parse an enum value from the Protobuf text format.
*
* @private
*/
function parseTextFormatEnumValue(descEnum, value) {
	const enumValue = descEnum.values.find((v) => v.name === value);
	if (!enumValue) throw new Error(`cannot parse ${descEnum} default value: ${value}`);
	return enumValue.number;
}
/**
* Parse a scalar value from the Protobuf text format.
*
* @private
*/
function parseTextFormatScalarValue(type, value) {
	switch (type) {
		case ScalarType.STRING: return value;
		case ScalarType.BYTES: {
			const u = unescapeBytesDefaultValue(value);
			if (u === false) throw new Error(`cannot parse ${ScalarType[type]} default value: ${value}`);
			return u;
		}
		case ScalarType.INT64:
		case ScalarType.SFIXED64:
		case ScalarType.SINT64: return protoInt64.parse(value);
		case ScalarType.UINT64:
		case ScalarType.FIXED64: return protoInt64.uParse(value);
		case ScalarType.DOUBLE:
		case ScalarType.FLOAT: switch (value) {
			case "inf": return Number.POSITIVE_INFINITY;
			case "-inf": return Number.NEGATIVE_INFINITY;
			case "nan": return NaN;
			default: return parseFloat(value);
		}
		case ScalarType.BOOL: return value === "true";
		case ScalarType.INT32:
		case ScalarType.UINT32:
		case ScalarType.SINT32:
		case ScalarType.FIXED32:
		case ScalarType.SFIXED32: return parseInt(value, 10);
	}
}
/**
* Parses a text-encoded default value (proto2) of a BYTES field.
*/
function unescapeBytesDefaultValue(str) {
	const b = [];
	const input = {
		tail: str,
		c: "",
		next() {
			if (this.tail.length == 0) return false;
			this.c = this.tail[0];
			this.tail = this.tail.substring(1);
			return true;
		},
		take(n) {
			if (this.tail.length >= n) {
				const r = this.tail.substring(0, n);
				this.tail = this.tail.substring(n);
				return r;
			}
			return false;
		}
	};
	while (input.next()) switch (input.c) {
		case "\\":
			if (input.next()) switch (input.c) {
				case "\\":
					b.push(input.c.charCodeAt(0));
					break;
				case "b":
					b.push(8);
					break;
				case "f":
					b.push(12);
					break;
				case "n":
					b.push(10);
					break;
				case "r":
					b.push(13);
					break;
				case "t":
					b.push(9);
					break;
				case "v":
					b.push(11);
					break;
				case "0":
				case "1":
				case "2":
				case "3":
				case "4":
				case "5":
				case "6":
				case "7": {
					const s = input.c;
					const t = input.take(2);
					if (t === false) return false;
					const n = parseInt(s + t, 8);
					if (Number.isNaN(n)) return false;
					b.push(n);
					break;
				}
				case "x": {
					const s = input.c;
					const t = input.take(2);
					if (t === false) return false;
					const n = parseInt(s + t, 16);
					if (Number.isNaN(n)) return false;
					b.push(n);
					break;
				}
				case "u": {
					const s = input.c;
					const t = input.take(4);
					if (t === false) return false;
					const n = parseInt(s + t, 16);
					if (Number.isNaN(n)) return false;
					const chunk = new Uint8Array(4);
					new DataView(chunk.buffer).setInt32(0, n, true);
					b.push(chunk[0], chunk[1], chunk[2], chunk[3]);
					break;
				}
				case "U": {
					const s = input.c;
					const t = input.take(8);
					if (t === false) return false;
					const tc = protoInt64.uEnc(s + t);
					const chunk = new Uint8Array(8);
					const view = new DataView(chunk.buffer);
					view.setInt32(0, tc.lo, true);
					view.setInt32(4, tc.hi, true);
					b.push(chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7]);
					break;
				}
			}
			break;
		default: b.push(input.c.charCodeAt(0));
	}
	return new Uint8Array(b);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/reflect/nested-types.js
/**
* Iterate over all types - enumerations, extensions, services, messages -
* and enumerations, extensions and messages nested in messages.
*/
function* nestedTypes(desc) {
	switch (desc.kind) {
		case "file":
			for (const message of desc.messages) {
				yield message;
				yield* nestedTypes(message);
			}
			yield* desc.enums;
			yield* desc.services;
			yield* desc.extensions;
			break;
		case "message":
			for (const message of desc.nestedMessages) {
				yield message;
				yield* nestedTypes(message);
			}
			yield* desc.nestedEnums;
			yield* desc.nestedExtensions;
			break;
	}
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/registry.js
/**
* Create a registry from an embedded file descriptor without validating it.
* Embedded descriptors are validated when they are generated, so they are
* trusted at runtime.
*
* @private
*/
function createEmbeddedFileRegistry(fileDescriptorProto, resolve) {
	return buildFileRegistry([fileDescriptorProto, resolve]);
}
function buildFileRegistry(args, check) {
	const registry = createBaseRegistry();
	if (!args.length) return registry;
	if ("$typeName" in args[0] && args[0].$typeName == "google.protobuf.FileDescriptorSet") {
		for (const file of args[0].file) {
			check === null || check === void 0 || check(file);
			addFile(file, registry);
		}
		return registry;
	}
	if ("$typeName" in args[0]) {
		const input = args[0];
		const resolve = args[1];
		const seen = /* @__PURE__ */ new Set();
		function recurseDeps(file) {
			const deps = [];
			for (const protoFileName of file.dependency) {
				if (registry.getFile(protoFileName) != void 0) continue;
				if (seen.has(protoFileName)) continue;
				const dep = resolve(protoFileName);
				if (!dep) throw new Error(`Unable to resolve ${protoFileName}, imported by ${file.name}`);
				if ("kind" in dep) registry.addFile(dep, false, true);
				else {
					seen.add(dep.name);
					deps.push(dep);
				}
			}
			return deps.concat(...deps.map(recurseDeps));
		}
		for (const file of [input, ...recurseDeps(input)].reverse()) {
			check === null || check === void 0 || check(file);
			addFile(file, registry);
		}
	} else for (const fileReg of args) for (const file of fileReg.files) registry.addFile(file);
	return registry;
}
/**
* @private
*/
function createBaseRegistry() {
	const types = /* @__PURE__ */ new Map();
	const extendees = /* @__PURE__ */ new Map();
	const files = /* @__PURE__ */ new Map();
	return {
		kind: "registry",
		types,
		extendees,
		[Symbol.iterator]() {
			return types.values();
		},
		get files() {
			return files.values();
		},
		addFile(file, skipTypes, withDeps) {
			files.set(file.proto.name, file);
			if (!skipTypes) for (const type of nestedTypes(file)) this.add(type);
			if (withDeps) for (const f of file.dependencies) this.addFile(f, skipTypes, withDeps);
		},
		add(desc) {
			if (desc.kind == "extension") {
				let numberToExt = extendees.get(desc.extendee.typeName);
				if (!numberToExt) extendees.set(desc.extendee.typeName, numberToExt = /* @__PURE__ */ new Map());
				numberToExt.set(desc.number, desc);
			}
			types.set(desc.typeName, desc);
		},
		get(typeName) {
			return types.get(typeName);
		},
		getFile(fileName) {
			return files.get(fileName);
		},
		getMessage(typeName) {
			const t = types.get(typeName);
			return (t === null || t === void 0 ? void 0 : t.kind) == "message" ? t : void 0;
		},
		getEnum(typeName) {
			const t = types.get(typeName);
			return (t === null || t === void 0 ? void 0 : t.kind) == "enum" ? t : void 0;
		},
		getExtension(typeName) {
			const t = types.get(typeName);
			return (t === null || t === void 0 ? void 0 : t.kind) == "extension" ? t : void 0;
		},
		getExtensionFor(extendee, no) {
			var _a;
			return (_a = extendees.get(extendee.typeName)) === null || _a === void 0 ? void 0 : _a.get(no);
		},
		getService(typeName) {
			const t = types.get(typeName);
			return (t === null || t === void 0 ? void 0 : t.kind) == "service" ? t : void 0;
		}
	};
}
const EDITION_PROTO2 = 998;
const EDITION_PROTO3 = 999;
const EDITION_UNSTABLE = 9999;
const TYPE_STRING = 9;
const TYPE_GROUP = 10;
const TYPE_MESSAGE = 11;
const TYPE_BYTES = 12;
const TYPE_ENUM = 14;
const LABEL_REPEATED = 3;
const LABEL_REQUIRED = 2;
const JS_STRING = 1;
const IDEMPOTENCY_UNKNOWN = 0;
const EXPLICIT = 1;
const IMPLICIT$1 = 2;
const LEGACY_REQUIRED$1 = 3;
const PACKED = 1;
const DELIMITED = 2;
const OPEN = 1;
const VERIFY = 2;
const maximumEdition = 1002;
const featureDefaults = {
	998: {
		fieldPresence: 1,
		enumType: 2,
		repeatedFieldEncoding: 2,
		utf8Validation: 3,
		messageEncoding: 1,
		jsonFormat: 2,
		enforceNamingStyle: 2,
		defaultSymbolVisibility: 1,
		enforceProtoLimits: 1
	},
	999: {
		fieldPresence: 2,
		enumType: 1,
		repeatedFieldEncoding: 1,
		utf8Validation: 2,
		messageEncoding: 1,
		jsonFormat: 1,
		enforceNamingStyle: 2,
		defaultSymbolVisibility: 1,
		enforceProtoLimits: 1
	},
	1e3: {
		fieldPresence: 1,
		enumType: 1,
		repeatedFieldEncoding: 1,
		utf8Validation: 2,
		messageEncoding: 1,
		jsonFormat: 1,
		enforceNamingStyle: 2,
		defaultSymbolVisibility: 1,
		enforceProtoLimits: 1
	},
	1001: {
		fieldPresence: 1,
		enumType: 1,
		repeatedFieldEncoding: 1,
		utf8Validation: 2,
		messageEncoding: 1,
		jsonFormat: 1,
		enforceNamingStyle: 1,
		defaultSymbolVisibility: 2,
		enforceProtoLimits: 1
	},
	1002: {
		fieldPresence: 1,
		enumType: 1,
		repeatedFieldEncoding: 1,
		utf8Validation: 2,
		messageEncoding: 1,
		jsonFormat: 1,
		enforceNamingStyle: 3,
		defaultSymbolVisibility: 4,
		enforceProtoLimits: 2
	}
};
/**
* Create a descriptor for a file, add it to the registry.
*/
function addFile(proto, reg) {
	var _a, _b;
	const file = {
		kind: "file",
		proto,
		deprecated: (_b = (_a = proto.options) === null || _a === void 0 ? void 0 : _a.deprecated) !== null && _b !== void 0 ? _b : false,
		edition: getFileEdition(proto),
		name: proto.name.replace(/\.proto$/, ""),
		dependencies: findFileDependencies(proto, reg),
		enums: [],
		messages: [],
		extensions: [],
		services: [],
		toString() {
			return `file ${proto.name}`;
		}
	};
	const mapEntriesStore = /* @__PURE__ */ new Map();
	const mapEntries = {
		get(typeName) {
			return mapEntriesStore.get(typeName);
		},
		add(desc) {
			var _a;
			assert(((_a = desc.proto.options) === null || _a === void 0 ? void 0 : _a.mapEntry) === true);
			mapEntriesStore.set(desc.typeName, desc);
		}
	};
	for (const enumProto of proto.enumType) addEnum(enumProto, file, void 0, reg);
	for (const messageProto of proto.messageType) addMessage(messageProto, file, void 0, reg, mapEntries);
	for (const serviceProto of proto.service) addService(serviceProto, file, reg);
	addExtensions(file, reg);
	for (const mapEntry of mapEntriesStore.values()) addFields(mapEntry, reg, mapEntries);
	for (const message of file.messages) {
		addFields(message, reg, mapEntries);
		addExtensions(message, reg);
	}
	reg.addFile(file, true);
}
/**
* Create descriptors for extensions, and add them to the message / file,
* and to our cart.
* Recurses into nested types.
*/
function addExtensions(desc, reg) {
	switch (desc.kind) {
		case "file":
			for (const proto of desc.proto.extension) {
				const ext = newField(proto, desc, reg);
				desc.extensions.push(ext);
				reg.add(ext);
			}
			break;
		case "message":
			for (const proto of desc.proto.extension) {
				const ext = newField(proto, desc, reg);
				desc.nestedExtensions.push(ext);
				reg.add(ext);
			}
			for (const message of desc.nestedMessages) addExtensions(message, reg);
			break;
	}
}
/**
* Create descriptors for fields and oneof groups, and add them to the message.
* Recurses into nested types.
*/
function addFields(message, reg, mapEntries) {
	const allOneofs = message.proto.oneofDecl.map((proto) => newOneof(proto, message));
	const oneofsSeen = /* @__PURE__ */ new Set();
	for (const proto of message.proto.field) {
		const oneof = findOneof(proto, allOneofs);
		const field = newField(proto, message, reg, oneof, mapEntries);
		message.fields.push(field);
		message.field[field.localName] = field;
		if (oneof === void 0) message.members.push(field);
		else {
			oneof.fields.push(field);
			if (!oneofsSeen.has(oneof)) {
				oneofsSeen.add(oneof);
				message.members.push(oneof);
			}
		}
	}
	for (const oneof of allOneofs.filter((o) => oneofsSeen.has(o))) message.oneofs.push(oneof);
	for (const child of message.nestedMessages) addFields(child, reg, mapEntries);
}
/**
* Create a descriptor for an enumeration, and add it our cart and to the
* parent type, if any.
*/
function addEnum(proto, file, parent, reg) {
	var _a, _b, _c, _d, _e, _f, _g;
	var _h, _j;
	const sharedPrefix = findEnumSharedPrefix(proto.name, proto.value);
	const desc = {
		kind: "enum",
		proto,
		deprecated: (_b = (_a = proto.options) === null || _a === void 0 ? void 0 : _a.deprecated) !== null && _b !== void 0 ? _b : false,
		file,
		parent,
		open: true,
		name: proto.name,
		typeName: makeTypeName(proto, parent, file),
		value: {},
		values: [],
		sharedPrefix,
		toString() {
			return `enum ${this.typeName}`;
		}
	};
	desc.open = isEnumOpen(desc);
	reg.add(desc);
	for (const p of proto.value) {
		const name = p.name;
		const value = {
			kind: "enum_value",
			proto: p,
			deprecated: (_d = (_c = p.options) === null || _c === void 0 ? void 0 : _c.deprecated) !== null && _d !== void 0 ? _d : false,
			parent: desc,
			name,
			localName: safeObjectProperty(sharedPrefix == void 0 ? name : name.substring(sharedPrefix.length)),
			number: p.number,
			jsonName: (_e = findEnumValueJsonName(p)) !== null && _e !== void 0 ? _e : name,
			toString() {
				return `enum value ${desc.typeName}.${name}`;
			}
		};
		desc.values.push(value);
		(_f = (_h = desc.value)[_j = p.number]) !== null && _f !== void 0 || (_h[_j] = value);
	}
	((_g = parent === null || parent === void 0 ? void 0 : parent.nestedEnums) !== null && _g !== void 0 ? _g : file.enums).push(desc);
}
/**
* Create a descriptor for a message, including nested types, and add it to our
* cart. Note that this does not create descriptors fields.
*/
function addMessage(proto, file, parent, reg, mapEntries) {
	var _a, _b, _c, _d;
	const desc = {
		kind: "message",
		proto,
		deprecated: (_b = (_a = proto.options) === null || _a === void 0 ? void 0 : _a.deprecated) !== null && _b !== void 0 ? _b : false,
		file,
		parent,
		name: proto.name,
		typeName: makeTypeName(proto, parent, file),
		fields: [],
		field: {},
		oneofs: [],
		members: [],
		nestedEnums: [],
		nestedMessages: [],
		nestedExtensions: [],
		toString() {
			return `message ${this.typeName}`;
		}
	};
	if (((_c = proto.options) === null || _c === void 0 ? void 0 : _c.mapEntry) === true) mapEntries.add(desc);
	else {
		((_d = parent === null || parent === void 0 ? void 0 : parent.nestedMessages) !== null && _d !== void 0 ? _d : file.messages).push(desc);
		reg.add(desc);
	}
	for (const enumProto of proto.enumType) addEnum(enumProto, file, desc, reg);
	for (const messageProto of proto.nestedType) addMessage(messageProto, file, desc, reg, mapEntries);
}
/**
* Create a descriptor for a service, including methods, and add it to our
* cart.
*/
function addService(proto, file, reg) {
	var _a, _b;
	const desc = {
		kind: "service",
		proto,
		deprecated: (_b = (_a = proto.options) === null || _a === void 0 ? void 0 : _a.deprecated) !== null && _b !== void 0 ? _b : false,
		file,
		name: proto.name,
		typeName: makeTypeName(proto, void 0, file),
		methods: [],
		method: {},
		toString() {
			return `service ${this.typeName}`;
		}
	};
	file.services.push(desc);
	reg.add(desc);
	for (const methodProto of proto.method) {
		const method = newMethod(methodProto, desc, reg);
		desc.methods.push(method);
		desc.method[method.localName] = method;
	}
}
/**
* Create a descriptor for a method.
*/
function newMethod(proto, parent, reg) {
	var _a, _b, _c, _d;
	let methodKind;
	if (proto.clientStreaming && proto.serverStreaming) methodKind = "bidi_streaming";
	else if (proto.clientStreaming) methodKind = "client_streaming";
	else if (proto.serverStreaming) methodKind = "server_streaming";
	else methodKind = "unary";
	const input = reg.getMessage(trimLeadingDot(proto.inputType));
	const output = reg.getMessage(trimLeadingDot(proto.outputType));
	assert(input, `invalid MethodDescriptorProto: input_type ${proto.inputType} not found`);
	assert(output, `invalid MethodDescriptorProto: output_type ${proto.inputType} not found`);
	const name = proto.name;
	return {
		kind: "rpc",
		proto,
		deprecated: (_b = (_a = proto.options) === null || _a === void 0 ? void 0 : _a.deprecated) !== null && _b !== void 0 ? _b : false,
		parent,
		name,
		localName: safeObjectProperty(name.length ? safeObjectProperty(name[0].toLowerCase() + name.substring(1)) : name),
		methodKind,
		input,
		output,
		idempotency: (_d = (_c = proto.options) === null || _c === void 0 ? void 0 : _c.idempotencyLevel) !== null && _d !== void 0 ? _d : IDEMPOTENCY_UNKNOWN,
		toString() {
			return `rpc ${parent.typeName}.${name}`;
		}
	};
}
/**
* Create a descriptor for a oneof group.
*/
function newOneof(proto, parent) {
	return {
		kind: "oneof",
		proto,
		deprecated: false,
		parent,
		fields: [],
		name: proto.name,
		localName: safeObjectProperty(protoCamelCase(proto.name)),
		toString() {
			return `oneof ${parent.typeName}.${this.name}`;
		}
	};
}
function newField(proto, parentOrFile, reg, oneof, mapEntries) {
	var _a, _b, _c;
	const isExtension = mapEntries === void 0;
	const field = {
		kind: "field",
		proto,
		deprecated: (_b = (_a = proto.options) === null || _a === void 0 ? void 0 : _a.deprecated) !== null && _b !== void 0 ? _b : false,
		name: proto.name,
		number: proto.number,
		scalar: void 0,
		message: void 0,
		enum: void 0,
		presence: getFieldPresence(proto, oneof, isExtension, parentOrFile),
		utf8Validation: isUtf8Validated(proto, parentOrFile),
		listKind: void 0,
		mapKind: void 0,
		mapKey: void 0,
		delimitedEncoding: void 0,
		packed: void 0,
		longAsString: false,
		getDefaultValue: void 0
	};
	let toStr;
	if (isExtension) {
		const file = parentOrFile.kind == "file" ? parentOrFile : parentOrFile.file;
		const parent = parentOrFile.kind == "file" ? void 0 : parentOrFile;
		const typeName = makeTypeName(proto, parent, file);
		field.kind = "extension";
		field.file = file;
		field.parent = parent;
		field.oneof = void 0;
		field.typeName = typeName;
		field.jsonName = `[${typeName}]`;
		toStr = () => `extension ${typeName}`;
		const extendee = reg.getMessage(trimLeadingDot(proto.extendee));
		assert(extendee, `invalid FieldDescriptorProto: extendee ${proto.extendee} not found`);
		field.extendee = extendee;
	} else {
		const parent = parentOrFile;
		assert(parent.kind == "message");
		field.parent = parent;
		field.oneof = oneof;
		field.localName = oneof ? protoCamelCase(proto.name) : safeObjectProperty(protoCamelCase(proto.name));
		field.jsonName = proto.jsonName;
		toStr = () => `field ${parent.typeName}.${proto.name}`;
	}
	Object.defineProperty(field, "toString", {
		value: toStr,
		writable: true,
		enumerable: true,
		configurable: true
	});
	const label = proto.label;
	const type = proto.type;
	const jstype = (_c = proto.options) === null || _c === void 0 ? void 0 : _c.jstype;
	if (label === LABEL_REPEATED) {
		const mapEntry = type == TYPE_MESSAGE ? mapEntries === null || mapEntries === void 0 ? void 0 : mapEntries.get(trimLeadingDot(proto.typeName)) : void 0;
		if (mapEntry) {
			field.fieldKind = "map";
			const { key, value } = findMapEntryFields(mapEntry);
			field.mapKey = key.scalar;
			field.mapKind = value.fieldKind;
			field.message = value.message;
			field.delimitedEncoding = false;
			field.enum = value.enum;
			field.scalar = value.scalar;
			return field;
		}
		field.fieldKind = "list";
		switch (type) {
			case TYPE_MESSAGE:
			case TYPE_GROUP:
				field.listKind = "message";
				field.message = reg.getMessage(trimLeadingDot(proto.typeName));
				assert(field.message);
				field.delimitedEncoding = isDelimitedEncoding(proto, parentOrFile);
				break;
			case TYPE_ENUM:
				field.listKind = "enum";
				field.enum = reg.getEnum(trimLeadingDot(proto.typeName));
				assert(field.enum);
				break;
			default:
				field.listKind = "scalar";
				field.scalar = type;
				field.longAsString = jstype == JS_STRING;
				break;
		}
		field.packed = isPackedField(proto, parentOrFile);
		return field;
	}
	switch (type) {
		case TYPE_MESSAGE:
		case TYPE_GROUP:
			field.fieldKind = "message";
			field.message = reg.getMessage(trimLeadingDot(proto.typeName));
			assert(field.message, `invalid FieldDescriptorProto: type_name ${proto.typeName} not found`);
			field.delimitedEncoding = isDelimitedEncoding(proto, parentOrFile);
			field.getDefaultValue = () => void 0;
			break;
		case TYPE_ENUM: {
			const enumeration = reg.getEnum(trimLeadingDot(proto.typeName));
			assert(enumeration !== void 0, `invalid FieldDescriptorProto: type_name ${proto.typeName} not found`);
			field.fieldKind = "enum";
			field.enum = reg.getEnum(trimLeadingDot(proto.typeName));
			field.getDefaultValue = () => {
				return unsafeIsSetExplicit(proto, "defaultValue") ? parseTextFormatEnumValue(enumeration, proto.defaultValue) : void 0;
			};
			break;
		}
		default:
			field.fieldKind = "scalar";
			field.scalar = type;
			field.longAsString = jstype == JS_STRING;
			field.getDefaultValue = () => {
				return unsafeIsSetExplicit(proto, "defaultValue") ? parseTextFormatScalarValue(type, proto.defaultValue) : void 0;
			};
			break;
	}
	return field;
}
/**
* Parse the "syntax" and "edition" fields, returning one of the supported
* editions.
*/
function getFileEdition(proto) {
	switch (proto.syntax) {
		case "":
		case "proto2": return EDITION_PROTO2;
		case "proto3": return EDITION_PROTO3;
		case "editions":
			if (proto.edition === EDITION_UNSTABLE) return maximumEdition;
			if (proto.edition in featureDefaults) return proto.edition;
			throw new Error(`${proto.name}: unsupported edition`);
		default: throw new Error(`${proto.name}: unsupported syntax "${proto.syntax}"`);
	}
}
/**
* Resolve dependencies of FileDescriptorProto to DescFile.
*/
function findFileDependencies(proto, reg) {
	return proto.dependency.map((wantName) => {
		const dep = reg.getFile(wantName);
		if (!dep) throw new Error(`Cannot find ${wantName}, imported by ${proto.name}`);
		return dep;
	});
}
/**
* Finds a prefix shared by enum values, for example `my_enum_` for
* `enum MyEnum {MY_ENUM_A=0; MY_ENUM_B=1;}`.
*/
function findEnumSharedPrefix(enumName, values) {
	const prefix = camelToSnakeCase(enumName) + "_";
	for (const value of values) {
		if (!value.name.toLowerCase().startsWith(prefix)) return;
		const shortName = value.name.substring(prefix.length);
		if (shortName.length == 0) return;
		if (/^\d/.test(shortName)) return;
	}
	return prefix;
}
/**
* Finds the custom JSON name of an enum value, set with the option
* `(pb.enumvalue.json).string` from google/protobuf/json_enumvalue_options.proto.
*
* Extensions are stored as unknown fields, so we read the option from the
* wire format instead of importing the extension, which depends on this file.
*/
function findEnumValueJsonName(proto) {
	var _a, _b;
	const extensionNumber = 998;
	const fieldNumber = 1;
	let jsonName;
	for (const uf of (_b = (_a = proto.options) === null || _a === void 0 ? void 0 : _a.$unknown) !== null && _b !== void 0 ? _b : []) {
		if (uf.no !== extensionNumber || uf.wireType !== WireType.LengthDelimited) continue;
		const reader = new BinaryReader(new BinaryReader(uf.data).bytes());
		while (reader.pos < reader.len) {
			const [no, wireType] = reader.tag();
			if (no === fieldNumber && wireType === WireType.LengthDelimited) jsonName = reader.string();
			else reader.skip(wireType, no);
		}
	}
	return jsonName;
}
/**
* Converts lowerCamelCase or UpperCamelCase into lower_snake_case.
* This is used to find shared prefixes in an enum.
*/
function camelToSnakeCase(camel) {
	return (camel.substring(0, 1) + camel.substring(1).replace(/[A-Z]/g, (c) => "_" + c)).toLowerCase();
}
/**
* Create a fully qualified name for a protobuf type or extension field.
*
* The fully qualified name for messages, enumerations, and services is
* constructed by concatenating the package name (if present), parent
* message names (for nested types), and the type name. We omit the leading
* dot added by protobuf compilers. Examples:
* - mypackage.MyMessage
* - mypackage.MyMessage.NestedMessage
*
* The fully qualified name for extension fields is constructed by
* concatenating the package name (if present), parent message names (for
* extensions declared within a message), and the field name. Examples:
* - mypackage.extfield
* - mypackage.MyMessage.extfield
*/
function makeTypeName(proto, parent, file) {
	let typeName;
	if (parent) typeName = `${parent.typeName}.${proto.name}`;
	else if (file.proto.package.length > 0) typeName = `${file.proto.package}.${proto.name}`;
	else typeName = `${proto.name}`;
	return typeName;
}
/**
* Remove the leading dot from a fully qualified type name.
*/
function trimLeadingDot(typeName) {
	return typeName.startsWith(".") ? typeName.substring(1) : typeName;
}
/**
* Did the user put the field in a oneof group?
* Synthetic oneofs for proto3 optionals are ignored.
*/
function findOneof(proto, allOneofs) {
	if (!unsafeIsSetExplicit(proto, "oneofIndex")) return;
	if (proto.proto3Optional) return;
	const oneof = allOneofs[proto.oneofIndex];
	assert(oneof, `invalid FieldDescriptorProto: oneof #${proto.oneofIndex} for field #${proto.number} not found`);
	return oneof;
}
/**
* Presence of the field.
* See https://protobuf.dev/programming-guides/field_presence/
*/
function getFieldPresence(proto, oneof, isExtension, parent) {
	if (proto.label == LABEL_REQUIRED) return LEGACY_REQUIRED$1;
	if (proto.label == LABEL_REPEATED) return IMPLICIT$1;
	if (!!oneof || proto.proto3Optional) return EXPLICIT;
	if (isExtension) return EXPLICIT;
	const resolved = resolveFeature("fieldPresence", {
		proto,
		parent
	});
	if (resolved == IMPLICIT$1 && (proto.type == TYPE_MESSAGE || proto.type == TYPE_GROUP)) return EXPLICIT;
	return resolved;
}
/**
* Pack this repeated field?
*/
function isPackedField(proto, parent) {
	if (proto.label != LABEL_REPEATED) return false;
	switch (proto.type) {
		case TYPE_STRING:
		case TYPE_BYTES:
		case TYPE_GROUP:
		case TYPE_MESSAGE: return false;
	}
	const o = proto.options;
	if (o && unsafeIsSetExplicit(o, "packed")) return o.packed;
	return PACKED == resolveFeature("repeatedFieldEncoding", {
		proto,
		parent
	});
}
/**
* Find the key and value fields of a synthetic map entry message.
*/
function findMapEntryFields(mapEntry) {
	const key = mapEntry.fields.find((f) => f.number === 1);
	const value = mapEntry.fields.find((f) => f.number === 2);
	assert(key && key.fieldKind == "scalar" && key.scalar != ScalarType.BYTES && key.scalar != ScalarType.FLOAT && key.scalar != ScalarType.DOUBLE && value && value.fieldKind != "list" && value.fieldKind != "map");
	return {
		key,
		value
	};
}
/**
* Enumerations can be open or closed.
* See https://protobuf.dev/programming-guides/enum/
*/
function isEnumOpen(desc) {
	var _a;
	return OPEN == resolveFeature("enumType", {
		proto: desc.proto,
		parent: (_a = desc.parent) !== null && _a !== void 0 ? _a : desc.file
	});
}
/**
* Encode the message delimited (a.k.a. proto2 group encoding), or
* length-prefixed?
*/
function isDelimitedEncoding(proto, parent) {
	if (proto.type == TYPE_GROUP) return true;
	return DELIMITED == resolveFeature("messageEncoding", {
		proto,
		parent
	});
}
/**
* Reject invalid UTF-8 when reading string fields from the binary wire format?
* Driven by the resolved `utf8_validation` feature: VERIFY (proto3 / editions
* 2023+ default) enforces; NONE (proto2 default) does not.
*/
function isUtf8Validated(proto, parent) {
	return VERIFY == resolveFeature("utf8Validation", {
		proto,
		parent
	});
}
function resolveFeature(name, ref) {
	var _a, _b;
	const featureSet = (_a = ref.proto.options) === null || _a === void 0 ? void 0 : _a.features;
	if (featureSet) {
		const val = featureSet[name];
		if (val != 0) return val;
	}
	if ("kind" in ref) {
		if (ref.kind == "message") return resolveFeature(name, (_b = ref.parent) !== null && _b !== void 0 ? _b : ref.file);
		const editionDefaults = featureDefaults[ref.edition];
		if (!editionDefaults) throw new Error(`feature default for edition ${ref.edition} not found`);
		return editionDefaults[name];
	}
	return resolveFeature(name, ref.parent);
}
/**
* Assert that condition is truthy or throw error (with message)
*/
function assert(condition, msg) {
	if (!condition) throw new Error(msg);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/codegenv2/boot.js
/**
* Hydrate a file descriptor for google/protobuf/descriptor.proto from a plain
* object.
*
* See createFileDescriptorProtoBoot() for details.
*
* @private
*/
function boot(boot) {
	const root = bootFileDescriptorProto(boot);
	root.messageType.forEach(restoreJsonNames);
	return createEmbeddedFileRegistry(root, () => void 0).getFile(root.name);
}
/**
* Creates the message google.protobuf.FileDescriptorProto from an object literal.
*
* See createFileDescriptorProtoBoot() for details.
*
* @private
*/
function bootFileDescriptorProto(init) {
	return Object.assign(Object.create({
		syntax: "",
		edition: 0
	}), Object.assign(Object.assign({
		$typeName: "google.protobuf.FileDescriptorProto",
		dependency: [],
		publicDependency: [],
		weakDependency: [],
		optionDependency: [],
		service: [],
		extension: []
	}, init), {
		messageType: init.messageType.map(bootDescriptorProto),
		enumType: init.enumType.map(bootEnumDescriptorProto)
	}));
}
function bootDescriptorProto(init) {
	var _a, _b, _c, _d, _e, _f, _g, _h;
	return Object.assign(Object.create({ visibility: 0 }), {
		$typeName: "google.protobuf.DescriptorProto",
		name: init.name,
		field: (_b = (_a = init.field) === null || _a === void 0 ? void 0 : _a.map(bootFieldDescriptorProto)) !== null && _b !== void 0 ? _b : [],
		extension: [],
		nestedType: (_d = (_c = init.nestedType) === null || _c === void 0 ? void 0 : _c.map(bootDescriptorProto)) !== null && _d !== void 0 ? _d : [],
		enumType: (_f = (_e = init.enumType) === null || _e === void 0 ? void 0 : _e.map(bootEnumDescriptorProto)) !== null && _f !== void 0 ? _f : [],
		extensionRange: (_h = (_g = init.extensionRange) === null || _g === void 0 ? void 0 : _g.map((e) => Object.assign({ $typeName: "google.protobuf.DescriptorProto.ExtensionRange" }, e))) !== null && _h !== void 0 ? _h : [],
		oneofDecl: [],
		reservedRange: [],
		reservedName: []
	});
}
function bootFieldDescriptorProto(init) {
	return Object.assign(Object.create({
		label: 1,
		typeName: "",
		extendee: "",
		defaultValue: "",
		oneofIndex: 0,
		jsonName: "",
		proto3Optional: false
	}), Object.assign(Object.assign({ $typeName: "google.protobuf.FieldDescriptorProto" }, init), { options: init.options ? bootFieldOptions(init.options) : void 0 }));
}
function bootFieldOptions(init) {
	var _a, _b, _c;
	return Object.assign(Object.create({
		ctype: 0,
		packed: false,
		jstype: 0,
		lazy: false,
		unverifiedLazy: false,
		deprecated: false,
		weak: false,
		debugRedact: false,
		retention: 0
	}), Object.assign(Object.assign({ $typeName: "google.protobuf.FieldOptions" }, init), {
		targets: (_a = init.targets) !== null && _a !== void 0 ? _a : [],
		editionDefaults: (_c = (_b = init.editionDefaults) === null || _b === void 0 ? void 0 : _b.map((e) => Object.assign({ $typeName: "google.protobuf.FieldOptions.EditionDefault" }, e))) !== null && _c !== void 0 ? _c : [],
		uninterpretedOption: []
	}));
}
function bootEnumDescriptorProto(init) {
	return Object.assign(Object.create({ visibility: 0 }), {
		$typeName: "google.protobuf.EnumDescriptorProto",
		name: init.name,
		reservedName: [],
		reservedRange: [],
		value: init.value.map((e) => Object.assign({ $typeName: "google.protobuf.EnumValueDescriptorProto" }, e))
	});
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/codegenv2/message.js
/**
* Hydrate a message descriptor.
*
* @private
*/
function messageDesc(file, path, ...paths) {
	return paths.reduce((acc, cur) => acc.nestedMessages[cur], file.messages[path]);
}
/**
* Describes the message google.protobuf.FileDescriptorProto.
* Use `create(FileDescriptorProtoSchema)` to create a new message.
*/
const FileDescriptorProtoSchema = /* @__PURE__ */ messageDesc(/* @__PURE__ */ boot({
	"name": "google/protobuf/descriptor.proto",
	"package": "google.protobuf",
	"messageType": [
		{
			"name": "FileDescriptorSet",
			"field": [{
				"name": "file",
				"number": 1,
				"type": 11,
				"label": 3,
				"typeName": ".google.protobuf.FileDescriptorProto"
			}],
			"extensionRange": [{
				"start": 536e6,
				"end": 536000001
			}]
		},
		{
			"name": "FileDescriptorProto",
			"field": [
				{
					"name": "name",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "package",
					"number": 2,
					"type": 9,
					"label": 1
				},
				{
					"name": "dependency",
					"number": 3,
					"type": 9,
					"label": 3
				},
				{
					"name": "public_dependency",
					"number": 10,
					"type": 5,
					"label": 3
				},
				{
					"name": "weak_dependency",
					"number": 11,
					"type": 5,
					"label": 3
				},
				{
					"name": "option_dependency",
					"number": 15,
					"type": 9,
					"label": 3
				},
				{
					"name": "message_type",
					"number": 4,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.DescriptorProto"
				},
				{
					"name": "enum_type",
					"number": 5,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.EnumDescriptorProto"
				},
				{
					"name": "service",
					"number": 6,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.ServiceDescriptorProto"
				},
				{
					"name": "extension",
					"number": 7,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.FieldDescriptorProto"
				},
				{
					"name": "options",
					"number": 8,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FileOptions"
				},
				{
					"name": "source_code_info",
					"number": 9,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.SourceCodeInfo"
				},
				{
					"name": "syntax",
					"number": 12,
					"type": 9,
					"label": 1
				},
				{
					"name": "edition",
					"number": 14,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.Edition"
				}
			]
		},
		{
			"name": "DescriptorProto",
			"field": [
				{
					"name": "name",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "field",
					"number": 2,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.FieldDescriptorProto"
				},
				{
					"name": "extension",
					"number": 6,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.FieldDescriptorProto"
				},
				{
					"name": "nested_type",
					"number": 3,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.DescriptorProto"
				},
				{
					"name": "enum_type",
					"number": 4,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.EnumDescriptorProto"
				},
				{
					"name": "extension_range",
					"number": 5,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.DescriptorProto.ExtensionRange"
				},
				{
					"name": "oneof_decl",
					"number": 8,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.OneofDescriptorProto"
				},
				{
					"name": "options",
					"number": 7,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.MessageOptions"
				},
				{
					"name": "reserved_range",
					"number": 9,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.DescriptorProto.ReservedRange"
				},
				{
					"name": "reserved_name",
					"number": 10,
					"type": 9,
					"label": 3
				},
				{
					"name": "visibility",
					"number": 11,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.SymbolVisibility"
				}
			],
			"nestedType": [{
				"name": "ExtensionRange",
				"field": [
					{
						"name": "start",
						"number": 1,
						"type": 5,
						"label": 1
					},
					{
						"name": "end",
						"number": 2,
						"type": 5,
						"label": 1
					},
					{
						"name": "options",
						"number": 3,
						"type": 11,
						"label": 1,
						"typeName": ".google.protobuf.ExtensionRangeOptions"
					}
				]
			}, {
				"name": "ReservedRange",
				"field": [{
					"name": "start",
					"number": 1,
					"type": 5,
					"label": 1
				}, {
					"name": "end",
					"number": 2,
					"type": 5,
					"label": 1
				}]
			}]
		},
		{
			"name": "ExtensionRangeOptions",
			"field": [
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				},
				{
					"name": "declaration",
					"number": 2,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.ExtensionRangeOptions.Declaration",
					"options": { "retention": 2 }
				},
				{
					"name": "features",
					"number": 50,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "verification",
					"number": 3,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.ExtensionRangeOptions.VerificationState",
					"defaultValue": "UNVERIFIED",
					"options": { "retention": 2 }
				}
			],
			"nestedType": [{
				"name": "Declaration",
				"field": [
					{
						"name": "number",
						"number": 1,
						"type": 5,
						"label": 1
					},
					{
						"name": "full_name",
						"number": 2,
						"type": 9,
						"label": 1
					},
					{
						"name": "type",
						"number": 3,
						"type": 9,
						"label": 1
					},
					{
						"name": "reserved",
						"number": 5,
						"type": 8,
						"label": 1
					},
					{
						"name": "repeated",
						"number": 6,
						"type": 8,
						"label": 1
					}
				]
			}],
			"enumType": [{
				"name": "VerificationState",
				"value": [{
					"name": "DECLARATION",
					"number": 0
				}, {
					"name": "UNVERIFIED",
					"number": 1
				}]
			}],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "FieldDescriptorProto",
			"field": [
				{
					"name": "name",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "number",
					"number": 3,
					"type": 5,
					"label": 1
				},
				{
					"name": "label",
					"number": 4,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FieldDescriptorProto.Label"
				},
				{
					"name": "type",
					"number": 5,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FieldDescriptorProto.Type"
				},
				{
					"name": "type_name",
					"number": 6,
					"type": 9,
					"label": 1
				},
				{
					"name": "extendee",
					"number": 2,
					"type": 9,
					"label": 1
				},
				{
					"name": "default_value",
					"number": 7,
					"type": 9,
					"label": 1
				},
				{
					"name": "oneof_index",
					"number": 9,
					"type": 5,
					"label": 1
				},
				{
					"name": "json_name",
					"number": 10,
					"type": 9,
					"label": 1
				},
				{
					"name": "options",
					"number": 8,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FieldOptions"
				},
				{
					"name": "proto3_optional",
					"number": 17,
					"type": 8,
					"label": 1
				}
			],
			"enumType": [{
				"name": "Type",
				"value": [
					{
						"name": "TYPE_DOUBLE",
						"number": 1
					},
					{
						"name": "TYPE_FLOAT",
						"number": 2
					},
					{
						"name": "TYPE_INT64",
						"number": 3
					},
					{
						"name": "TYPE_UINT64",
						"number": 4
					},
					{
						"name": "TYPE_INT32",
						"number": 5
					},
					{
						"name": "TYPE_FIXED64",
						"number": 6
					},
					{
						"name": "TYPE_FIXED32",
						"number": 7
					},
					{
						"name": "TYPE_BOOL",
						"number": 8
					},
					{
						"name": "TYPE_STRING",
						"number": 9
					},
					{
						"name": "TYPE_GROUP",
						"number": 10
					},
					{
						"name": "TYPE_MESSAGE",
						"number": 11
					},
					{
						"name": "TYPE_BYTES",
						"number": 12
					},
					{
						"name": "TYPE_UINT32",
						"number": 13
					},
					{
						"name": "TYPE_ENUM",
						"number": 14
					},
					{
						"name": "TYPE_SFIXED32",
						"number": 15
					},
					{
						"name": "TYPE_SFIXED64",
						"number": 16
					},
					{
						"name": "TYPE_SINT32",
						"number": 17
					},
					{
						"name": "TYPE_SINT64",
						"number": 18
					}
				]
			}, {
				"name": "Label",
				"value": [
					{
						"name": "LABEL_OPTIONAL",
						"number": 1
					},
					{
						"name": "LABEL_REPEATED",
						"number": 3
					},
					{
						"name": "LABEL_REQUIRED",
						"number": 2
					}
				]
			}]
		},
		{
			"name": "OneofDescriptorProto",
			"field": [{
				"name": "name",
				"number": 1,
				"type": 9,
				"label": 1
			}, {
				"name": "options",
				"number": 2,
				"type": 11,
				"label": 1,
				"typeName": ".google.protobuf.OneofOptions"
			}]
		},
		{
			"name": "EnumDescriptorProto",
			"field": [
				{
					"name": "name",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "value",
					"number": 2,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.EnumValueDescriptorProto"
				},
				{
					"name": "options",
					"number": 3,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.EnumOptions"
				},
				{
					"name": "reserved_range",
					"number": 4,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.EnumDescriptorProto.EnumReservedRange"
				},
				{
					"name": "reserved_name",
					"number": 5,
					"type": 9,
					"label": 3
				},
				{
					"name": "visibility",
					"number": 6,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.SymbolVisibility"
				}
			],
			"nestedType": [{
				"name": "EnumReservedRange",
				"field": [{
					"name": "start",
					"number": 1,
					"type": 5,
					"label": 1
				}, {
					"name": "end",
					"number": 2,
					"type": 5,
					"label": 1
				}]
			}]
		},
		{
			"name": "EnumValueDescriptorProto",
			"field": [
				{
					"name": "name",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "number",
					"number": 2,
					"type": 5,
					"label": 1
				},
				{
					"name": "options",
					"number": 3,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.EnumValueOptions"
				}
			]
		},
		{
			"name": "ServiceDescriptorProto",
			"field": [
				{
					"name": "name",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "method",
					"number": 2,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.MethodDescriptorProto"
				},
				{
					"name": "options",
					"number": 3,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.ServiceOptions"
				}
			]
		},
		{
			"name": "MethodDescriptorProto",
			"field": [
				{
					"name": "name",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "input_type",
					"number": 2,
					"type": 9,
					"label": 1
				},
				{
					"name": "output_type",
					"number": 3,
					"type": 9,
					"label": 1
				},
				{
					"name": "options",
					"number": 4,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.MethodOptions"
				},
				{
					"name": "client_streaming",
					"number": 5,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "server_streaming",
					"number": 6,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				}
			]
		},
		{
			"name": "FileOptions",
			"field": [
				{
					"name": "java_package",
					"number": 1,
					"type": 9,
					"label": 1
				},
				{
					"name": "java_outer_classname",
					"number": 8,
					"type": 9,
					"label": 1
				},
				{
					"name": "java_multiple_files",
					"number": 10,
					"type": 8,
					"label": 1,
					"defaultValue": "false",
					"options": {}
				},
				{
					"name": "java_generate_equals_and_hash",
					"number": 20,
					"type": 8,
					"label": 1,
					"options": { "deprecated": true }
				},
				{
					"name": "java_string_check_utf8",
					"number": 27,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "optimize_for",
					"number": 9,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FileOptions.OptimizeMode",
					"defaultValue": "SPEED"
				},
				{
					"name": "go_package",
					"number": 11,
					"type": 9,
					"label": 1
				},
				{
					"name": "cc_generic_services",
					"number": 16,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "java_generic_services",
					"number": 17,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "py_generic_services",
					"number": 18,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "deprecated",
					"number": 23,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "cc_enable_arenas",
					"number": 31,
					"type": 8,
					"label": 1,
					"defaultValue": "true",
					"options": {}
				},
				{
					"name": "objc_class_prefix",
					"number": 36,
					"type": 9,
					"label": 1
				},
				{
					"name": "csharp_namespace",
					"number": 37,
					"type": 9,
					"label": 1
				},
				{
					"name": "swift_prefix",
					"number": 39,
					"type": 9,
					"label": 1
				},
				{
					"name": "php_class_prefix",
					"number": 40,
					"type": 9,
					"label": 1
				},
				{
					"name": "php_namespace",
					"number": 41,
					"type": 9,
					"label": 1
				},
				{
					"name": "php_metadata_namespace",
					"number": 44,
					"type": 9,
					"label": 1
				},
				{
					"name": "ruby_package",
					"number": 45,
					"type": 9,
					"label": 1
				},
				{
					"name": "features",
					"number": 50,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				}
			],
			"enumType": [{
				"name": "OptimizeMode",
				"value": [
					{
						"name": "SPEED",
						"number": 1
					},
					{
						"name": "CODE_SIZE",
						"number": 2
					},
					{
						"name": "LITE_RUNTIME",
						"number": 3
					}
				]
			}],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "MessageOptions",
			"field": [
				{
					"name": "message_set_wire_format",
					"number": 1,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "no_standard_descriptor_accessor",
					"number": 2,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "deprecated",
					"number": 3,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "map_entry",
					"number": 7,
					"type": 8,
					"label": 1
				},
				{
					"name": "deprecated_legacy_json_field_conflicts",
					"number": 11,
					"type": 8,
					"label": 1,
					"options": { "deprecated": true }
				},
				{
					"name": "features",
					"number": 12,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				}
			],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "FieldOptions",
			"field": [
				{
					"name": "ctype",
					"number": 1,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FieldOptions.CType",
					"defaultValue": "STRING"
				},
				{
					"name": "packed",
					"number": 2,
					"type": 8,
					"label": 1
				},
				{
					"name": "jstype",
					"number": 6,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FieldOptions.JSType",
					"defaultValue": "JS_NORMAL"
				},
				{
					"name": "lazy",
					"number": 5,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "unverified_lazy",
					"number": 15,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "deprecated",
					"number": 3,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "weak",
					"number": 10,
					"type": 8,
					"label": 1,
					"defaultValue": "false",
					"options": { "deprecated": true }
				},
				{
					"name": "debug_redact",
					"number": 16,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "retention",
					"number": 17,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FieldOptions.OptionRetention"
				},
				{
					"name": "targets",
					"number": 19,
					"type": 14,
					"label": 3,
					"typeName": ".google.protobuf.FieldOptions.OptionTargetType"
				},
				{
					"name": "edition_defaults",
					"number": 20,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.FieldOptions.EditionDefault"
				},
				{
					"name": "features",
					"number": 21,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "feature_support",
					"number": 22,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FieldOptions.FeatureSupport"
				},
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				}
			],
			"nestedType": [{
				"name": "EditionDefault",
				"field": [{
					"name": "edition",
					"number": 3,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.Edition"
				}, {
					"name": "value",
					"number": 2,
					"type": 9,
					"label": 1
				}]
			}, {
				"name": "FeatureSupport",
				"field": [
					{
						"name": "edition_introduced",
						"number": 1,
						"type": 14,
						"label": 1,
						"typeName": ".google.protobuf.Edition"
					},
					{
						"name": "edition_deprecated",
						"number": 2,
						"type": 14,
						"label": 1,
						"typeName": ".google.protobuf.Edition"
					},
					{
						"name": "deprecation_warning",
						"number": 3,
						"type": 9,
						"label": 1
					},
					{
						"name": "edition_removed",
						"number": 4,
						"type": 14,
						"label": 1,
						"typeName": ".google.protobuf.Edition"
					},
					{
						"name": "removal_error",
						"number": 5,
						"type": 9,
						"label": 1
					}
				]
			}],
			"enumType": [
				{
					"name": "CType",
					"value": [
						{
							"name": "STRING",
							"number": 0
						},
						{
							"name": "CORD",
							"number": 1
						},
						{
							"name": "STRING_PIECE",
							"number": 2
						}
					]
				},
				{
					"name": "JSType",
					"value": [
						{
							"name": "JS_NORMAL",
							"number": 0
						},
						{
							"name": "JS_STRING",
							"number": 1
						},
						{
							"name": "JS_NUMBER",
							"number": 2
						}
					]
				},
				{
					"name": "OptionRetention",
					"value": [
						{
							"name": "RETENTION_UNKNOWN",
							"number": 0
						},
						{
							"name": "RETENTION_RUNTIME",
							"number": 1
						},
						{
							"name": "RETENTION_SOURCE",
							"number": 2
						}
					]
				},
				{
					"name": "OptionTargetType",
					"value": [
						{
							"name": "TARGET_TYPE_UNKNOWN",
							"number": 0
						},
						{
							"name": "TARGET_TYPE_FILE",
							"number": 1
						},
						{
							"name": "TARGET_TYPE_EXTENSION_RANGE",
							"number": 2
						},
						{
							"name": "TARGET_TYPE_MESSAGE",
							"number": 3
						},
						{
							"name": "TARGET_TYPE_FIELD",
							"number": 4
						},
						{
							"name": "TARGET_TYPE_ONEOF",
							"number": 5
						},
						{
							"name": "TARGET_TYPE_ENUM",
							"number": 6
						},
						{
							"name": "TARGET_TYPE_ENUM_ENTRY",
							"number": 7
						},
						{
							"name": "TARGET_TYPE_SERVICE",
							"number": 8
						},
						{
							"name": "TARGET_TYPE_METHOD",
							"number": 9
						}
					]
				}
			],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "OneofOptions",
			"field": [{
				"name": "features",
				"number": 1,
				"type": 11,
				"label": 1,
				"typeName": ".google.protobuf.FeatureSet"
			}, {
				"name": "uninterpreted_option",
				"number": 999,
				"type": 11,
				"label": 3,
				"typeName": ".google.protobuf.UninterpretedOption"
			}],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "EnumOptions",
			"field": [
				{
					"name": "allow_alias",
					"number": 2,
					"type": 8,
					"label": 1
				},
				{
					"name": "deprecated",
					"number": 3,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "deprecated_legacy_json_field_conflicts",
					"number": 6,
					"type": 8,
					"label": 1,
					"options": { "deprecated": true }
				},
				{
					"name": "features",
					"number": 7,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				}
			],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "EnumValueOptions",
			"field": [
				{
					"name": "deprecated",
					"number": 1,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "features",
					"number": 2,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "debug_redact",
					"number": 3,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "feature_support",
					"number": 4,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FieldOptions.FeatureSupport"
				},
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				}
			],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "ServiceOptions",
			"field": [
				{
					"name": "features",
					"number": 34,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "deprecated",
					"number": 33,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				}
			],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "MethodOptions",
			"field": [
				{
					"name": "deprecated",
					"number": 33,
					"type": 8,
					"label": 1,
					"defaultValue": "false"
				},
				{
					"name": "idempotency_level",
					"number": 34,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.MethodOptions.IdempotencyLevel",
					"defaultValue": "IDEMPOTENCY_UNKNOWN"
				},
				{
					"name": "features",
					"number": 35,
					"type": 11,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet"
				},
				{
					"name": "uninterpreted_option",
					"number": 999,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption"
				}
			],
			"enumType": [{
				"name": "IdempotencyLevel",
				"value": [
					{
						"name": "IDEMPOTENCY_UNKNOWN",
						"number": 0
					},
					{
						"name": "NO_SIDE_EFFECTS",
						"number": 1
					},
					{
						"name": "IDEMPOTENT",
						"number": 2
					}
				]
			}],
			"extensionRange": [{
				"start": 990,
				"end": 999
			}, {
				"start": 1e3,
				"end": 536870912
			}]
		},
		{
			"name": "UninterpretedOption",
			"field": [
				{
					"name": "name",
					"number": 2,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.UninterpretedOption.NamePart"
				},
				{
					"name": "identifier_value",
					"number": 3,
					"type": 9,
					"label": 1
				},
				{
					"name": "positive_int_value",
					"number": 4,
					"type": 4,
					"label": 1
				},
				{
					"name": "negative_int_value",
					"number": 5,
					"type": 3,
					"label": 1
				},
				{
					"name": "double_value",
					"number": 6,
					"type": 1,
					"label": 1
				},
				{
					"name": "string_value",
					"number": 7,
					"type": 12,
					"label": 1
				},
				{
					"name": "aggregate_value",
					"number": 8,
					"type": 9,
					"label": 1
				}
			],
			"nestedType": [{
				"name": "NamePart",
				"field": [{
					"name": "name_part",
					"number": 1,
					"type": 9,
					"label": 2
				}, {
					"name": "is_extension",
					"number": 2,
					"type": 8,
					"label": 2
				}]
			}]
		},
		{
			"name": "FeatureSet",
			"field": [
				{
					"name": "field_presence",
					"number": 1,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.FieldPresence",
					"options": {
						"retention": 1,
						"targets": [4, 1],
						"editionDefaults": [
							{
								"value": "EXPLICIT",
								"edition": 900
							},
							{
								"value": "IMPLICIT",
								"edition": 999
							},
							{
								"value": "EXPLICIT",
								"edition": 1e3
							}
						]
					}
				},
				{
					"name": "enum_type",
					"number": 2,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.EnumType",
					"options": {
						"retention": 1,
						"targets": [6, 1],
						"editionDefaults": [{
							"value": "CLOSED",
							"edition": 900
						}, {
							"value": "OPEN",
							"edition": 999
						}]
					}
				},
				{
					"name": "repeated_field_encoding",
					"number": 3,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.RepeatedFieldEncoding",
					"options": {
						"retention": 1,
						"targets": [4, 1],
						"editionDefaults": [{
							"value": "EXPANDED",
							"edition": 900
						}, {
							"value": "PACKED",
							"edition": 999
						}]
					}
				},
				{
					"name": "utf8_validation",
					"number": 4,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.Utf8Validation",
					"options": {
						"retention": 1,
						"targets": [4, 1],
						"editionDefaults": [{
							"value": "NONE",
							"edition": 900
						}, {
							"value": "VERIFY",
							"edition": 999
						}]
					}
				},
				{
					"name": "message_encoding",
					"number": 5,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.MessageEncoding",
					"options": {
						"retention": 1,
						"targets": [4, 1],
						"editionDefaults": [{
							"value": "LENGTH_PREFIXED",
							"edition": 900
						}]
					}
				},
				{
					"name": "json_format",
					"number": 6,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.JsonFormat",
					"options": {
						"retention": 1,
						"targets": [
							3,
							6,
							1
						],
						"editionDefaults": [{
							"value": "LEGACY_BEST_EFFORT",
							"edition": 900
						}, {
							"value": "ALLOW",
							"edition": 999
						}]
					}
				},
				{
					"name": "enforce_naming_style",
					"number": 7,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.EnforceNamingStyle",
					"options": {
						"retention": 2,
						"targets": [
							1,
							2,
							3,
							4,
							5,
							6,
							7,
							8,
							9
						],
						"editionDefaults": [
							{
								"value": "STYLE_LEGACY",
								"edition": 900
							},
							{
								"value": "STYLE2024",
								"edition": 1001
							},
							{
								"value": "STYLE2026",
								"edition": 1002
							}
						]
					}
				},
				{
					"name": "default_symbol_visibility",
					"number": 8,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.VisibilityFeature.DefaultSymbolVisibility",
					"options": {
						"retention": 2,
						"targets": [1],
						"editionDefaults": [
							{
								"value": "EXPORT_ALL",
								"edition": 900
							},
							{
								"value": "EXPORT_TOP_LEVEL",
								"edition": 1001
							},
							{
								"value": "STRICT",
								"edition": 1002
							}
						]
					}
				},
				{
					"name": "enforce_proto_limits",
					"number": 9,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.FeatureSet.ProtoLimitsFeature.EnforceProtoLimits",
					"options": {
						"retention": 2,
						"targets": [
							6,
							3,
							4,
							5
						],
						"editionDefaults": [{
							"value": "LEGACY_NO_EXPLICIT_LIMITS",
							"edition": 900
						}, {
							"value": "PROTO_LIMITS2026",
							"edition": 1002
						}]
					}
				}
			],
			"nestedType": [{
				"name": "VisibilityFeature",
				"enumType": [{
					"name": "DefaultSymbolVisibility",
					"value": [
						{
							"name": "DEFAULT_SYMBOL_VISIBILITY_UNKNOWN",
							"number": 0
						},
						{
							"name": "EXPORT_ALL",
							"number": 1
						},
						{
							"name": "EXPORT_TOP_LEVEL",
							"number": 2
						},
						{
							"name": "LOCAL_ALL",
							"number": 3
						},
						{
							"name": "STRICT",
							"number": 4
						}
					]
				}]
			}, {
				"name": "ProtoLimitsFeature",
				"enumType": [{
					"name": "EnforceProtoLimits",
					"value": [
						{
							"name": "PROTO_LIMITS_UNKNOWN",
							"number": 0
						},
						{
							"name": "LEGACY_NO_EXPLICIT_LIMITS",
							"number": 1
						},
						{
							"name": "PROTO_LIMITS2026",
							"number": 2
						}
					]
				}]
			}],
			"enumType": [
				{
					"name": "FieldPresence",
					"value": [
						{
							"name": "FIELD_PRESENCE_UNKNOWN",
							"number": 0
						},
						{
							"name": "EXPLICIT",
							"number": 1
						},
						{
							"name": "IMPLICIT",
							"number": 2
						},
						{
							"name": "LEGACY_REQUIRED",
							"number": 3
						}
					]
				},
				{
					"name": "EnumType",
					"value": [
						{
							"name": "ENUM_TYPE_UNKNOWN",
							"number": 0
						},
						{
							"name": "OPEN",
							"number": 1
						},
						{
							"name": "CLOSED",
							"number": 2
						}
					]
				},
				{
					"name": "RepeatedFieldEncoding",
					"value": [
						{
							"name": "REPEATED_FIELD_ENCODING_UNKNOWN",
							"number": 0
						},
						{
							"name": "PACKED",
							"number": 1
						},
						{
							"name": "EXPANDED",
							"number": 2
						}
					]
				},
				{
					"name": "Utf8Validation",
					"value": [
						{
							"name": "UTF8_VALIDATION_UNKNOWN",
							"number": 0
						},
						{
							"name": "VERIFY",
							"number": 2
						},
						{
							"name": "NONE",
							"number": 3
						}
					]
				},
				{
					"name": "MessageEncoding",
					"value": [
						{
							"name": "MESSAGE_ENCODING_UNKNOWN",
							"number": 0
						},
						{
							"name": "LENGTH_PREFIXED",
							"number": 1
						},
						{
							"name": "DELIMITED",
							"number": 2
						}
					]
				},
				{
					"name": "JsonFormat",
					"value": [
						{
							"name": "JSON_FORMAT_UNKNOWN",
							"number": 0
						},
						{
							"name": "ALLOW",
							"number": 1
						},
						{
							"name": "LEGACY_BEST_EFFORT",
							"number": 2
						}
					]
				},
				{
					"name": "EnforceNamingStyle",
					"value": [
						{
							"name": "ENFORCE_NAMING_STYLE_UNKNOWN",
							"number": 0
						},
						{
							"name": "STYLE2024",
							"number": 1
						},
						{
							"name": "STYLE_LEGACY",
							"number": 2
						},
						{
							"name": "STYLE2026",
							"number": 3
						}
					]
				}
			],
			"extensionRange": [
				{
					"start": 1e3,
					"end": 9995
				},
				{
					"start": 9995,
					"end": 1e4
				},
				{
					"start": 1e4,
					"end": 10001
				}
			]
		},
		{
			"name": "FeatureSetDefaults",
			"field": [
				{
					"name": "defaults",
					"number": 1,
					"type": 11,
					"label": 3,
					"typeName": ".google.protobuf.FeatureSetDefaults.FeatureSetEditionDefault"
				},
				{
					"name": "minimum_edition",
					"number": 4,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.Edition"
				},
				{
					"name": "maximum_edition",
					"number": 5,
					"type": 14,
					"label": 1,
					"typeName": ".google.protobuf.Edition"
				}
			],
			"nestedType": [{
				"name": "FeatureSetEditionDefault",
				"field": [
					{
						"name": "edition",
						"number": 3,
						"type": 14,
						"label": 1,
						"typeName": ".google.protobuf.Edition"
					},
					{
						"name": "overridable_features",
						"number": 4,
						"type": 11,
						"label": 1,
						"typeName": ".google.protobuf.FeatureSet"
					},
					{
						"name": "fixed_features",
						"number": 5,
						"type": 11,
						"label": 1,
						"typeName": ".google.protobuf.FeatureSet"
					}
				]
			}]
		},
		{
			"name": "SourceCodeInfo",
			"field": [{
				"name": "location",
				"number": 1,
				"type": 11,
				"label": 3,
				"typeName": ".google.protobuf.SourceCodeInfo.Location"
			}],
			"nestedType": [{
				"name": "Location",
				"field": [
					{
						"name": "path",
						"number": 1,
						"type": 5,
						"label": 3,
						"options": { "packed": true }
					},
					{
						"name": "span",
						"number": 2,
						"type": 5,
						"label": 3,
						"options": { "packed": true }
					},
					{
						"name": "leading_comments",
						"number": 3,
						"type": 9,
						"label": 1
					},
					{
						"name": "trailing_comments",
						"number": 4,
						"type": 9,
						"label": 1
					},
					{
						"name": "leading_detached_comments",
						"number": 6,
						"type": 9,
						"label": 3
					}
				]
			}],
			"extensionRange": [{
				"start": 536e6,
				"end": 536000001
			}]
		},
		{
			"name": "GeneratedCodeInfo",
			"field": [{
				"name": "annotation",
				"number": 1,
				"type": 11,
				"label": 3,
				"typeName": ".google.protobuf.GeneratedCodeInfo.Annotation"
			}],
			"nestedType": [{
				"name": "Annotation",
				"field": [
					{
						"name": "path",
						"number": 1,
						"type": 5,
						"label": 3,
						"options": { "packed": true }
					},
					{
						"name": "source_file",
						"number": 2,
						"type": 9,
						"label": 1
					},
					{
						"name": "begin",
						"number": 3,
						"type": 5,
						"label": 1
					},
					{
						"name": "end",
						"number": 4,
						"type": 5,
						"label": 1
					},
					{
						"name": "semantic",
						"number": 5,
						"type": 14,
						"label": 1,
						"typeName": ".google.protobuf.GeneratedCodeInfo.Annotation.Semantic"
					}
				],
				"enumType": [{
					"name": "Semantic",
					"value": [
						{
							"name": "NONE",
							"number": 0
						},
						{
							"name": "SET",
							"number": 1
						},
						{
							"name": "ALIAS",
							"number": 2
						}
					]
				}]
			}]
		}
	],
	"enumType": [{
		"name": "Edition",
		"value": [
			{
				"name": "EDITION_UNKNOWN",
				"number": 0
			},
			{
				"name": "EDITION_LEGACY",
				"number": 900
			},
			{
				"name": "EDITION_PROTO2",
				"number": 998
			},
			{
				"name": "EDITION_PROTO3",
				"number": 999
			},
			{
				"name": "EDITION_2023",
				"number": 1e3
			},
			{
				"name": "EDITION_2024",
				"number": 1001
			},
			{
				"name": "EDITION_2026",
				"number": 1002
			},
			{
				"name": "EDITION_UNSTABLE",
				"number": 9999
			},
			{
				"name": "EDITION_1_TEST_ONLY",
				"number": 1
			},
			{
				"name": "EDITION_2_TEST_ONLY",
				"number": 2
			},
			{
				"name": "EDITION_99997_TEST_ONLY",
				"number": 99997
			},
			{
				"name": "EDITION_99998_TEST_ONLY",
				"number": 99998
			},
			{
				"name": "EDITION_99999_TEST_ONLY",
				"number": 99999
			},
			{
				"name": "EDITION_MAX",
				"number": 2147483647
			}
		]
	}, {
		"name": "SymbolVisibility",
		"value": [
			{
				"name": "VISIBILITY_UNSET",
				"number": 0
			},
			{
				"name": "VISIBILITY_LOCAL",
				"number": 1
			},
			{
				"name": "VISIBILITY_EXPORT",
				"number": 2
			}
		]
	}]
}), 1);
/**
* The verification state of the extension range.
*
* @generated from enum google.protobuf.ExtensionRangeOptions.VerificationState
*/
var ExtensionRangeOptions_VerificationState;
(function(ExtensionRangeOptions_VerificationState) {
	/**
	* All the extensions of the range must be declared.
	*
	* @generated from enum value: DECLARATION = 0;
	*/
	ExtensionRangeOptions_VerificationState[ExtensionRangeOptions_VerificationState["DECLARATION"] = 0] = "DECLARATION";
	/**
	* @generated from enum value: UNVERIFIED = 1;
	*/
	ExtensionRangeOptions_VerificationState[ExtensionRangeOptions_VerificationState["UNVERIFIED"] = 1] = "UNVERIFIED";
})(ExtensionRangeOptions_VerificationState || (ExtensionRangeOptions_VerificationState = {}));
/**
* @generated from enum google.protobuf.FieldDescriptorProto.Type
*/
var FieldDescriptorProto_Type;
(function(FieldDescriptorProto_Type) {
	/**
	* 0 is reserved for errors.
	* Order is weird for historical reasons.
	*
	* @generated from enum value: TYPE_DOUBLE = 1;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["DOUBLE"] = 1] = "DOUBLE";
	/**
	* @generated from enum value: TYPE_FLOAT = 2;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["FLOAT"] = 2] = "FLOAT";
	/**
	* Not ZigZag encoded.  Negative numbers take 10 bytes.  Use TYPE_SINT64 if
	* negative values are likely.
	*
	* @generated from enum value: TYPE_INT64 = 3;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["INT64"] = 3] = "INT64";
	/**
	* @generated from enum value: TYPE_UINT64 = 4;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["UINT64"] = 4] = "UINT64";
	/**
	* Not ZigZag encoded.  Negative numbers take 10 bytes.  Use TYPE_SINT32 if
	* negative values are likely.
	*
	* @generated from enum value: TYPE_INT32 = 5;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["INT32"] = 5] = "INT32";
	/**
	* @generated from enum value: TYPE_FIXED64 = 6;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["FIXED64"] = 6] = "FIXED64";
	/**
	* @generated from enum value: TYPE_FIXED32 = 7;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["FIXED32"] = 7] = "FIXED32";
	/**
	* @generated from enum value: TYPE_BOOL = 8;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["BOOL"] = 8] = "BOOL";
	/**
	* @generated from enum value: TYPE_STRING = 9;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["STRING"] = 9] = "STRING";
	/**
	* Tag-delimited aggregate.
	* Group type is deprecated and not supported after google.protobuf. However, Proto3
	* implementations should still be able to parse the group wire format and
	* treat group fields as unknown fields.  In Editions, the group wire format
	* can be enabled via the `message_encoding` feature.
	*
	* @generated from enum value: TYPE_GROUP = 10;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["GROUP"] = 10] = "GROUP";
	/**
	* Length-delimited aggregate.
	*
	* @generated from enum value: TYPE_MESSAGE = 11;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["MESSAGE"] = 11] = "MESSAGE";
	/**
	* New in version 2.
	*
	* @generated from enum value: TYPE_BYTES = 12;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["BYTES"] = 12] = "BYTES";
	/**
	* @generated from enum value: TYPE_UINT32 = 13;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["UINT32"] = 13] = "UINT32";
	/**
	* @generated from enum value: TYPE_ENUM = 14;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["ENUM"] = 14] = "ENUM";
	/**
	* @generated from enum value: TYPE_SFIXED32 = 15;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["SFIXED32"] = 15] = "SFIXED32";
	/**
	* @generated from enum value: TYPE_SFIXED64 = 16;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["SFIXED64"] = 16] = "SFIXED64";
	/**
	* Uses ZigZag encoding.
	*
	* @generated from enum value: TYPE_SINT32 = 17;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["SINT32"] = 17] = "SINT32";
	/**
	* Uses ZigZag encoding.
	*
	* @generated from enum value: TYPE_SINT64 = 18;
	*/
	FieldDescriptorProto_Type[FieldDescriptorProto_Type["SINT64"] = 18] = "SINT64";
})(FieldDescriptorProto_Type || (FieldDescriptorProto_Type = {}));
/**
* @generated from enum google.protobuf.FieldDescriptorProto.Label
*/
var FieldDescriptorProto_Label;
(function(FieldDescriptorProto_Label) {
	/**
	* 0 is reserved for errors
	*
	* @generated from enum value: LABEL_OPTIONAL = 1;
	*/
	FieldDescriptorProto_Label[FieldDescriptorProto_Label["OPTIONAL"] = 1] = "OPTIONAL";
	/**
	* @generated from enum value: LABEL_REPEATED = 3;
	*/
	FieldDescriptorProto_Label[FieldDescriptorProto_Label["REPEATED"] = 3] = "REPEATED";
	/**
	* The required label is only allowed in google.protobuf.  In proto3 and Editions
	* it's explicitly prohibited.  In Editions, the `field_presence` feature
	* can be used to get this behavior.
	*
	* @generated from enum value: LABEL_REQUIRED = 2;
	*/
	FieldDescriptorProto_Label[FieldDescriptorProto_Label["REQUIRED"] = 2] = "REQUIRED";
})(FieldDescriptorProto_Label || (FieldDescriptorProto_Label = {}));
/**
* Generated classes can be optimized for speed or code size.
*
* @generated from enum google.protobuf.FileOptions.OptimizeMode
*/
var FileOptions_OptimizeMode;
(function(FileOptions_OptimizeMode) {
	/**
	* Generate complete code for parsing, serialization,
	*
	* @generated from enum value: SPEED = 1;
	*/
	FileOptions_OptimizeMode[FileOptions_OptimizeMode["SPEED"] = 1] = "SPEED";
	/**
	* etc.
	*
	* Use ReflectionOps to implement these methods.
	*
	* @generated from enum value: CODE_SIZE = 2;
	*/
	FileOptions_OptimizeMode[FileOptions_OptimizeMode["CODE_SIZE"] = 2] = "CODE_SIZE";
	/**
	* Generate code using MessageLite and the lite runtime.
	*
	* @generated from enum value: LITE_RUNTIME = 3;
	*/
	FileOptions_OptimizeMode[FileOptions_OptimizeMode["LITE_RUNTIME"] = 3] = "LITE_RUNTIME";
})(FileOptions_OptimizeMode || (FileOptions_OptimizeMode = {}));
/**
* @generated from enum google.protobuf.FieldOptions.CType
*/
var FieldOptions_CType;
(function(FieldOptions_CType) {
	/**
	* Default mode.
	*
	* @generated from enum value: STRING = 0;
	*/
	FieldOptions_CType[FieldOptions_CType["STRING"] = 0] = "STRING";
	/**
	* The option [ctype=CORD] may be applied to a non-repeated field of type
	* "bytes". It indicates that in C++, the data should be stored in a Cord
	* instead of a string.  For very large strings, this may reduce memory
	* fragmentation. It may also allow better performance when parsing from a
	* Cord, or when parsing with aliasing enabled, as the parsed Cord may then
	* alias the original buffer.
	*
	* @generated from enum value: CORD = 1;
	*/
	FieldOptions_CType[FieldOptions_CType["CORD"] = 1] = "CORD";
	/**
	* @generated from enum value: STRING_PIECE = 2;
	*/
	FieldOptions_CType[FieldOptions_CType["STRING_PIECE"] = 2] = "STRING_PIECE";
})(FieldOptions_CType || (FieldOptions_CType = {}));
/**
* @generated from enum google.protobuf.FieldOptions.JSType
*/
var FieldOptions_JSType;
(function(FieldOptions_JSType) {
	/**
	* Use the default type.
	*
	* @generated from enum value: JS_NORMAL = 0;
	*/
	FieldOptions_JSType[FieldOptions_JSType["JS_NORMAL"] = 0] = "JS_NORMAL";
	/**
	* Use JavaScript strings.
	*
	* @generated from enum value: JS_STRING = 1;
	*/
	FieldOptions_JSType[FieldOptions_JSType["JS_STRING"] = 1] = "JS_STRING";
	/**
	* Use JavaScript numbers.
	*
	* @generated from enum value: JS_NUMBER = 2;
	*/
	FieldOptions_JSType[FieldOptions_JSType["JS_NUMBER"] = 2] = "JS_NUMBER";
})(FieldOptions_JSType || (FieldOptions_JSType = {}));
/**
* If set to RETENTION_SOURCE, the option will be omitted from the binary.
*
* @generated from enum google.protobuf.FieldOptions.OptionRetention
*/
var FieldOptions_OptionRetention;
(function(FieldOptions_OptionRetention) {
	/**
	* @generated from enum value: RETENTION_UNKNOWN = 0;
	*/
	FieldOptions_OptionRetention[FieldOptions_OptionRetention["RETENTION_UNKNOWN"] = 0] = "RETENTION_UNKNOWN";
	/**
	* @generated from enum value: RETENTION_RUNTIME = 1;
	*/
	FieldOptions_OptionRetention[FieldOptions_OptionRetention["RETENTION_RUNTIME"] = 1] = "RETENTION_RUNTIME";
	/**
	* @generated from enum value: RETENTION_SOURCE = 2;
	*/
	FieldOptions_OptionRetention[FieldOptions_OptionRetention["RETENTION_SOURCE"] = 2] = "RETENTION_SOURCE";
})(FieldOptions_OptionRetention || (FieldOptions_OptionRetention = {}));
/**
* This indicates the types of entities that the field may apply to when used
* as an option. If it is unset, then the field may be freely used as an
* option on any kind of entity.
*
* @generated from enum google.protobuf.FieldOptions.OptionTargetType
*/
var FieldOptions_OptionTargetType;
(function(FieldOptions_OptionTargetType) {
	/**
	* @generated from enum value: TARGET_TYPE_UNKNOWN = 0;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_UNKNOWN"] = 0] = "TARGET_TYPE_UNKNOWN";
	/**
	* @generated from enum value: TARGET_TYPE_FILE = 1;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_FILE"] = 1] = "TARGET_TYPE_FILE";
	/**
	* @generated from enum value: TARGET_TYPE_EXTENSION_RANGE = 2;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_EXTENSION_RANGE"] = 2] = "TARGET_TYPE_EXTENSION_RANGE";
	/**
	* @generated from enum value: TARGET_TYPE_MESSAGE = 3;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_MESSAGE"] = 3] = "TARGET_TYPE_MESSAGE";
	/**
	* @generated from enum value: TARGET_TYPE_FIELD = 4;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_FIELD"] = 4] = "TARGET_TYPE_FIELD";
	/**
	* @generated from enum value: TARGET_TYPE_ONEOF = 5;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_ONEOF"] = 5] = "TARGET_TYPE_ONEOF";
	/**
	* @generated from enum value: TARGET_TYPE_ENUM = 6;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_ENUM"] = 6] = "TARGET_TYPE_ENUM";
	/**
	* @generated from enum value: TARGET_TYPE_ENUM_ENTRY = 7;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_ENUM_ENTRY"] = 7] = "TARGET_TYPE_ENUM_ENTRY";
	/**
	* @generated from enum value: TARGET_TYPE_SERVICE = 8;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_SERVICE"] = 8] = "TARGET_TYPE_SERVICE";
	/**
	* @generated from enum value: TARGET_TYPE_METHOD = 9;
	*/
	FieldOptions_OptionTargetType[FieldOptions_OptionTargetType["TARGET_TYPE_METHOD"] = 9] = "TARGET_TYPE_METHOD";
})(FieldOptions_OptionTargetType || (FieldOptions_OptionTargetType = {}));
/**
* Is this method side-effect-free (or safe in HTTP parlance), or idempotent,
* or neither? HTTP based RPC implementation may choose GET verb for safe
* methods, and PUT verb for idempotent methods instead of the default POST.
*
* @generated from enum google.protobuf.MethodOptions.IdempotencyLevel
*/
var MethodOptions_IdempotencyLevel;
(function(MethodOptions_IdempotencyLevel) {
	/**
	* @generated from enum value: IDEMPOTENCY_UNKNOWN = 0;
	*/
	MethodOptions_IdempotencyLevel[MethodOptions_IdempotencyLevel["IDEMPOTENCY_UNKNOWN"] = 0] = "IDEMPOTENCY_UNKNOWN";
	/**
	* implies idempotent
	*
	* @generated from enum value: NO_SIDE_EFFECTS = 1;
	*/
	MethodOptions_IdempotencyLevel[MethodOptions_IdempotencyLevel["NO_SIDE_EFFECTS"] = 1] = "NO_SIDE_EFFECTS";
	/**
	* idempotent, but may have side effects
	*
	* @generated from enum value: IDEMPOTENT = 2;
	*/
	MethodOptions_IdempotencyLevel[MethodOptions_IdempotencyLevel["IDEMPOTENT"] = 2] = "IDEMPOTENT";
})(MethodOptions_IdempotencyLevel || (MethodOptions_IdempotencyLevel = {}));
/**
* @generated from enum google.protobuf.FeatureSet.VisibilityFeature.DefaultSymbolVisibility
*/
var FeatureSet_VisibilityFeature_DefaultSymbolVisibility;
(function(FeatureSet_VisibilityFeature_DefaultSymbolVisibility) {
	/**
	* @generated from enum value: DEFAULT_SYMBOL_VISIBILITY_UNKNOWN = 0;
	*/
	FeatureSet_VisibilityFeature_DefaultSymbolVisibility[FeatureSet_VisibilityFeature_DefaultSymbolVisibility["DEFAULT_SYMBOL_VISIBILITY_UNKNOWN"] = 0] = "DEFAULT_SYMBOL_VISIBILITY_UNKNOWN";
	/**
	* Default pre-EDITION_2024, all UNSET visibility are export.
	*
	* @generated from enum value: EXPORT_ALL = 1;
	*/
	FeatureSet_VisibilityFeature_DefaultSymbolVisibility[FeatureSet_VisibilityFeature_DefaultSymbolVisibility["EXPORT_ALL"] = 1] = "EXPORT_ALL";
	/**
	* All top-level symbols default to export, nested default to local.
	*
	* @generated from enum value: EXPORT_TOP_LEVEL = 2;
	*/
	FeatureSet_VisibilityFeature_DefaultSymbolVisibility[FeatureSet_VisibilityFeature_DefaultSymbolVisibility["EXPORT_TOP_LEVEL"] = 2] = "EXPORT_TOP_LEVEL";
	/**
	* All symbols default to local.
	*
	* @generated from enum value: LOCAL_ALL = 3;
	*/
	FeatureSet_VisibilityFeature_DefaultSymbolVisibility[FeatureSet_VisibilityFeature_DefaultSymbolVisibility["LOCAL_ALL"] = 3] = "LOCAL_ALL";
	/**
	* All symbols local by default. Nested types cannot be exported.
	* With special case caveat for message { enum {} reserved 1 to max; }
	* This is the recommended setting for new protos.
	*
	* @generated from enum value: STRICT = 4;
	*/
	FeatureSet_VisibilityFeature_DefaultSymbolVisibility[FeatureSet_VisibilityFeature_DefaultSymbolVisibility["STRICT"] = 4] = "STRICT";
})(FeatureSet_VisibilityFeature_DefaultSymbolVisibility || (FeatureSet_VisibilityFeature_DefaultSymbolVisibility = {}));
/**
* @generated from enum google.protobuf.FeatureSet.ProtoLimitsFeature.EnforceProtoLimits
*/
var FeatureSet_ProtoLimitsFeature_EnforceProtoLimits;
(function(FeatureSet_ProtoLimitsFeature_EnforceProtoLimits) {
	/**
	* @generated from enum value: PROTO_LIMITS_UNKNOWN = 0;
	*/
	FeatureSet_ProtoLimitsFeature_EnforceProtoLimits[FeatureSet_ProtoLimitsFeature_EnforceProtoLimits["PROTO_LIMITS_UNKNOWN"] = 0] = "PROTO_LIMITS_UNKNOWN";
	/**
	* Default pre-EDITION_2026: there are no limit enforcement at the protoc
	* level. Practical limits still exist, but they will tend to fail while
	* compiling protoc-generated code, and these limits tend to be language
	* or toolchain specific.
	*
	* @generated from enum value: LEGACY_NO_EXPLICIT_LIMITS = 1;
	*/
	FeatureSet_ProtoLimitsFeature_EnforceProtoLimits[FeatureSet_ProtoLimitsFeature_EnforceProtoLimits["LEGACY_NO_EXPLICIT_LIMITS"] = 1] = "LEGACY_NO_EXPLICIT_LIMITS";
	/**
	* A set of limits enforced by Edition 2026 by default. For a detailed
	* list of all the limits please consult the Edition 2026 documentation.
	*
	* @generated from enum value: PROTO_LIMITS2026 = 2;
	*/
	FeatureSet_ProtoLimitsFeature_EnforceProtoLimits[FeatureSet_ProtoLimitsFeature_EnforceProtoLimits["PROTO_LIMITS2026"] = 2] = "PROTO_LIMITS2026";
})(FeatureSet_ProtoLimitsFeature_EnforceProtoLimits || (FeatureSet_ProtoLimitsFeature_EnforceProtoLimits = {}));
/**
* @generated from enum google.protobuf.FeatureSet.FieldPresence
*/
var FeatureSet_FieldPresence;
(function(FeatureSet_FieldPresence) {
	/**
	* @generated from enum value: FIELD_PRESENCE_UNKNOWN = 0;
	*/
	FeatureSet_FieldPresence[FeatureSet_FieldPresence["FIELD_PRESENCE_UNKNOWN"] = 0] = "FIELD_PRESENCE_UNKNOWN";
	/**
	* @generated from enum value: EXPLICIT = 1;
	*/
	FeatureSet_FieldPresence[FeatureSet_FieldPresence["EXPLICIT"] = 1] = "EXPLICIT";
	/**
	* @generated from enum value: IMPLICIT = 2;
	*/
	FeatureSet_FieldPresence[FeatureSet_FieldPresence["IMPLICIT"] = 2] = "IMPLICIT";
	/**
	* @generated from enum value: LEGACY_REQUIRED = 3;
	*/
	FeatureSet_FieldPresence[FeatureSet_FieldPresence["LEGACY_REQUIRED"] = 3] = "LEGACY_REQUIRED";
})(FeatureSet_FieldPresence || (FeatureSet_FieldPresence = {}));
/**
* @generated from enum google.protobuf.FeatureSet.EnumType
*/
var FeatureSet_EnumType;
(function(FeatureSet_EnumType) {
	/**
	* @generated from enum value: ENUM_TYPE_UNKNOWN = 0;
	*/
	FeatureSet_EnumType[FeatureSet_EnumType["ENUM_TYPE_UNKNOWN"] = 0] = "ENUM_TYPE_UNKNOWN";
	/**
	* @generated from enum value: OPEN = 1;
	*/
	FeatureSet_EnumType[FeatureSet_EnumType["OPEN"] = 1] = "OPEN";
	/**
	* @generated from enum value: CLOSED = 2;
	*/
	FeatureSet_EnumType[FeatureSet_EnumType["CLOSED"] = 2] = "CLOSED";
})(FeatureSet_EnumType || (FeatureSet_EnumType = {}));
/**
* @generated from enum google.protobuf.FeatureSet.RepeatedFieldEncoding
*/
var FeatureSet_RepeatedFieldEncoding;
(function(FeatureSet_RepeatedFieldEncoding) {
	/**
	* @generated from enum value: REPEATED_FIELD_ENCODING_UNKNOWN = 0;
	*/
	FeatureSet_RepeatedFieldEncoding[FeatureSet_RepeatedFieldEncoding["REPEATED_FIELD_ENCODING_UNKNOWN"] = 0] = "REPEATED_FIELD_ENCODING_UNKNOWN";
	/**
	* @generated from enum value: PACKED = 1;
	*/
	FeatureSet_RepeatedFieldEncoding[FeatureSet_RepeatedFieldEncoding["PACKED"] = 1] = "PACKED";
	/**
	* @generated from enum value: EXPANDED = 2;
	*/
	FeatureSet_RepeatedFieldEncoding[FeatureSet_RepeatedFieldEncoding["EXPANDED"] = 2] = "EXPANDED";
})(FeatureSet_RepeatedFieldEncoding || (FeatureSet_RepeatedFieldEncoding = {}));
/**
* @generated from enum google.protobuf.FeatureSet.Utf8Validation
*/
var FeatureSet_Utf8Validation;
(function(FeatureSet_Utf8Validation) {
	/**
	* @generated from enum value: UTF8_VALIDATION_UNKNOWN = 0;
	*/
	FeatureSet_Utf8Validation[FeatureSet_Utf8Validation["UTF8_VALIDATION_UNKNOWN"] = 0] = "UTF8_VALIDATION_UNKNOWN";
	/**
	* @generated from enum value: VERIFY = 2;
	*/
	FeatureSet_Utf8Validation[FeatureSet_Utf8Validation["VERIFY"] = 2] = "VERIFY";
	/**
	* @generated from enum value: NONE = 3;
	*/
	FeatureSet_Utf8Validation[FeatureSet_Utf8Validation["NONE"] = 3] = "NONE";
})(FeatureSet_Utf8Validation || (FeatureSet_Utf8Validation = {}));
/**
* @generated from enum google.protobuf.FeatureSet.MessageEncoding
*/
var FeatureSet_MessageEncoding;
(function(FeatureSet_MessageEncoding) {
	/**
	* @generated from enum value: MESSAGE_ENCODING_UNKNOWN = 0;
	*/
	FeatureSet_MessageEncoding[FeatureSet_MessageEncoding["MESSAGE_ENCODING_UNKNOWN"] = 0] = "MESSAGE_ENCODING_UNKNOWN";
	/**
	* @generated from enum value: LENGTH_PREFIXED = 1;
	*/
	FeatureSet_MessageEncoding[FeatureSet_MessageEncoding["LENGTH_PREFIXED"] = 1] = "LENGTH_PREFIXED";
	/**
	* @generated from enum value: DELIMITED = 2;
	*/
	FeatureSet_MessageEncoding[FeatureSet_MessageEncoding["DELIMITED"] = 2] = "DELIMITED";
})(FeatureSet_MessageEncoding || (FeatureSet_MessageEncoding = {}));
/**
* @generated from enum google.protobuf.FeatureSet.JsonFormat
*/
var FeatureSet_JsonFormat;
(function(FeatureSet_JsonFormat) {
	/**
	* @generated from enum value: JSON_FORMAT_UNKNOWN = 0;
	*/
	FeatureSet_JsonFormat[FeatureSet_JsonFormat["JSON_FORMAT_UNKNOWN"] = 0] = "JSON_FORMAT_UNKNOWN";
	/**
	* @generated from enum value: ALLOW = 1;
	*/
	FeatureSet_JsonFormat[FeatureSet_JsonFormat["ALLOW"] = 1] = "ALLOW";
	/**
	* @generated from enum value: LEGACY_BEST_EFFORT = 2;
	*/
	FeatureSet_JsonFormat[FeatureSet_JsonFormat["LEGACY_BEST_EFFORT"] = 2] = "LEGACY_BEST_EFFORT";
})(FeatureSet_JsonFormat || (FeatureSet_JsonFormat = {}));
/**
* @generated from enum google.protobuf.FeatureSet.EnforceNamingStyle
*/
var FeatureSet_EnforceNamingStyle;
(function(FeatureSet_EnforceNamingStyle) {
	/**
	* @generated from enum value: ENFORCE_NAMING_STYLE_UNKNOWN = 0;
	*/
	FeatureSet_EnforceNamingStyle[FeatureSet_EnforceNamingStyle["ENFORCE_NAMING_STYLE_UNKNOWN"] = 0] = "ENFORCE_NAMING_STYLE_UNKNOWN";
	/**
	* @generated from enum value: STYLE2024 = 1;
	*/
	FeatureSet_EnforceNamingStyle[FeatureSet_EnforceNamingStyle["STYLE2024"] = 1] = "STYLE2024";
	/**
	* @generated from enum value: STYLE_LEGACY = 2;
	*/
	FeatureSet_EnforceNamingStyle[FeatureSet_EnforceNamingStyle["STYLE_LEGACY"] = 2] = "STYLE_LEGACY";
	/**
	* @generated from enum value: STYLE2026 = 3;
	*/
	FeatureSet_EnforceNamingStyle[FeatureSet_EnforceNamingStyle["STYLE2026"] = 3] = "STYLE2026";
})(FeatureSet_EnforceNamingStyle || (FeatureSet_EnforceNamingStyle = {}));
/**
* Represents the identified object's effect on the element in the original
* .proto file.
*
* @generated from enum google.protobuf.GeneratedCodeInfo.Annotation.Semantic
*/
var GeneratedCodeInfo_Annotation_Semantic;
(function(GeneratedCodeInfo_Annotation_Semantic) {
	/**
	* There is no effect or the effect is indescribable.
	*
	* @generated from enum value: NONE = 0;
	*/
	GeneratedCodeInfo_Annotation_Semantic[GeneratedCodeInfo_Annotation_Semantic["NONE"] = 0] = "NONE";
	/**
	* The element is set or otherwise mutated.
	*
	* @generated from enum value: SET = 1;
	*/
	GeneratedCodeInfo_Annotation_Semantic[GeneratedCodeInfo_Annotation_Semantic["SET"] = 1] = "SET";
	/**
	* An alias to the element is returned.
	*
	* @generated from enum value: ALIAS = 2;
	*/
	GeneratedCodeInfo_Annotation_Semantic[GeneratedCodeInfo_Annotation_Semantic["ALIAS"] = 2] = "ALIAS";
})(GeneratedCodeInfo_Annotation_Semantic || (GeneratedCodeInfo_Annotation_Semantic = {}));
/**
* The full set of known editions.
*
* @generated from enum google.protobuf.Edition
*/
var Edition;
(function(Edition) {
	/**
	* A placeholder for an unknown edition value.
	*
	* @generated from enum value: EDITION_UNKNOWN = 0;
	*/
	Edition[Edition["EDITION_UNKNOWN"] = 0] = "EDITION_UNKNOWN";
	/**
	* A placeholder edition for specifying default behaviors *before* a feature
	* was first introduced.  This is effectively an "infinite past".
	*
	* @generated from enum value: EDITION_LEGACY = 900;
	*/
	Edition[Edition["EDITION_LEGACY"] = 900] = "EDITION_LEGACY";
	/**
	* Legacy syntax "editions".  These pre-date editions, but behave much like
	* distinct editions.  These can't be used to specify the edition of proto
	* files, but feature definitions must supply proto2/proto3 defaults for
	* backwards compatibility.
	*
	* @generated from enum value: EDITION_PROTO2 = 998;
	*/
	Edition[Edition["EDITION_PROTO2"] = 998] = "EDITION_PROTO2";
	/**
	* @generated from enum value: EDITION_PROTO3 = 999;
	*/
	Edition[Edition["EDITION_PROTO3"] = 999] = "EDITION_PROTO3";
	/**
	* Editions that have been released.  The specific values are arbitrary and
	* should not be depended on, but they will always be time-ordered for easy
	* comparison.
	*
	* @generated from enum value: EDITION_2023 = 1000;
	*/
	Edition[Edition["EDITION_2023"] = 1e3] = "EDITION_2023";
	/**
	* @generated from enum value: EDITION_2024 = 1001;
	*/
	Edition[Edition["EDITION_2024"] = 1001] = "EDITION_2024";
	/**
	* @generated from enum value: EDITION_2026 = 1002;
	*/
	Edition[Edition["EDITION_2026"] = 1002] = "EDITION_2026";
	/**
	* A placeholder edition for developing and testing unscheduled features.
	*
	* @generated from enum value: EDITION_UNSTABLE = 9999;
	*/
	Edition[Edition["EDITION_UNSTABLE"] = 9999] = "EDITION_UNSTABLE";
	/**
	* Placeholder editions for testing feature resolution.  These should not be
	* used or relied on outside of tests.
	*
	* @generated from enum value: EDITION_1_TEST_ONLY = 1;
	*/
	Edition[Edition["EDITION_1_TEST_ONLY"] = 1] = "EDITION_1_TEST_ONLY";
	/**
	* @generated from enum value: EDITION_2_TEST_ONLY = 2;
	*/
	Edition[Edition["EDITION_2_TEST_ONLY"] = 2] = "EDITION_2_TEST_ONLY";
	/**
	* @generated from enum value: EDITION_99997_TEST_ONLY = 99997;
	*/
	Edition[Edition["EDITION_99997_TEST_ONLY"] = 99997] = "EDITION_99997_TEST_ONLY";
	/**
	* @generated from enum value: EDITION_99998_TEST_ONLY = 99998;
	*/
	Edition[Edition["EDITION_99998_TEST_ONLY"] = 99998] = "EDITION_99998_TEST_ONLY";
	/**
	* @generated from enum value: EDITION_99999_TEST_ONLY = 99999;
	*/
	Edition[Edition["EDITION_99999_TEST_ONLY"] = 99999] = "EDITION_99999_TEST_ONLY";
	/**
	* Placeholder for specifying unbounded edition support.  This should only
	* ever be used by plugins that can expect to never require any changes to
	* support a new edition.
	*
	* @generated from enum value: EDITION_MAX = 2147483647;
	*/
	Edition[Edition["EDITION_MAX"] = 2147483647] = "EDITION_MAX";
})(Edition || (Edition = {}));
/**
* Describes the 'visibility' of a symbol with respect to the proto import
* system. Symbols can only be imported when the visibility rules do not prevent
* it (ex: local symbols cannot be imported).  Visibility modifiers can only set
* on `message` and `enum` as they are the only types available to be referenced
* from other files.
*
* @generated from enum google.protobuf.SymbolVisibility
*/
var SymbolVisibility;
(function(SymbolVisibility) {
	/**
	* @generated from enum value: VISIBILITY_UNSET = 0;
	*/
	SymbolVisibility[SymbolVisibility["VISIBILITY_UNSET"] = 0] = "VISIBILITY_UNSET";
	/**
	* @generated from enum value: VISIBILITY_LOCAL = 1;
	*/
	SymbolVisibility[SymbolVisibility["VISIBILITY_LOCAL"] = 1] = "VISIBILITY_LOCAL";
	/**
	* @generated from enum value: VISIBILITY_EXPORT = 2;
	*/
	SymbolVisibility[SymbolVisibility["VISIBILITY_EXPORT"] = 2] = "VISIBILITY_EXPORT";
})(SymbolVisibility || (SymbolVisibility = {}));
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/from-binary.js
/**
* @private Only exported for getExtension()
*/
function makeReadContext(options) {
	return Object.assign(Object.assign({
		readUnknownFields: true,
		recursionLimit: 100
	}, options), { depth: 0 });
}
/**
* Parse serialized binary data.
*/
function fromBinary(schema, bytes, options) {
	const message = create(schema);
	compiledReader(schema).read(message, new BinaryReader(bytes), makeReadContext(options), bytes.byteLength);
	return message;
}
const compiledReaders = /* @__PURE__ */ new WeakMap();
/**
* Return the compiled decoder for a message, compiling it on first use.
*/
function compiledReader(desc) {
	let compiled = compiledReaders.get(desc);
	if (compiled === void 0) compiled = compileMessage$1(desc);
	return compiled;
}
function compileMessage$1(desc) {
	const descString = String(desc);
	const fieldReaders = /* @__PURE__ */ new Map();
	const compiled = {
		read: compileMessageReader(descString, fieldReaders),
		readGroup: compileGroupReader(descString, fieldReaders)
	};
	compiledReaders.set(desc, compiled);
	for (const field of desc.fields) fieldReaders.set(field.number, compileFieldReader(field));
	return compiled;
}
/**
* Create a decoder for a length-prefixed message body, dispatching wire
* records to the compiled field decoders by field number.
*/
function compileMessageReader(descString, fieldReaders) {
	return (message, reader, ctx, length) => {
		var _a;
		if (++ctx.depth > ctx.recursionLimit) throw new Error(`cannot decode ${descString} from binary: maximum recursion depth of ${ctx.recursionLimit} reached`);
		const end = reader.pos + length;
		const unknownFields = (_a = message.$unknown) !== null && _a !== void 0 ? _a : [];
		while (reader.pos < end) {
			const [fieldNo, wireType] = reader.tag();
			const fieldReader = fieldReaders.get(fieldNo);
			if (fieldReader === void 0) {
				const data = reader.skip(wireType, fieldNo, ctx.recursionLimit - ctx.depth);
				if (ctx.readUnknownFields) unknownFields.push({
					no: fieldNo,
					wireType,
					data
				});
				continue;
			}
			fieldReader(message, reader, ctx, wireType);
		}
		if (unknownFields.length > 0) message.$unknown = unknownFields;
		ctx.depth--;
	};
}
/**
* Create a decoder for a message with the delimited encoding (group),
* reading until the EndGroup tag, like compileMessageReader.
*/
function compileGroupReader(descString, fieldReaders) {
	return (message, reader, ctx, fieldNo) => {
		var _a;
		if (++ctx.depth > ctx.recursionLimit) throw new Error(`cannot decode ${descString} from binary: maximum recursion depth of ${ctx.recursionLimit} reached`);
		let recordFieldNo;
		let wireType;
		const unknownFields = (_a = message.$unknown) !== null && _a !== void 0 ? _a : [];
		while (reader.pos < reader.len) {
			[recordFieldNo, wireType] = reader.tag();
			if (wireType == WireType.EndGroup) break;
			const fieldReader = fieldReaders.get(recordFieldNo);
			if (fieldReader === void 0) {
				const data = reader.skip(wireType, recordFieldNo, ctx.recursionLimit - ctx.depth);
				if (ctx.readUnknownFields) unknownFields.push({
					no: recordFieldNo,
					wireType,
					data
				});
				continue;
			}
			fieldReader(message, reader, ctx, wireType);
		}
		if (wireType != WireType.EndGroup || recordFieldNo !== fieldNo) throw new Error("invalid end group tag");
		if (unknownFields.length > 0) message.$unknown = unknownFields;
		ctx.depth--;
	};
}
function compileFieldReader(field) {
	switch (field.fieldKind) {
		case "scalar": return compileScalarFieldReader(field);
		case "enum": return compileEnumFieldReader(field);
		case "message": return compileMessageFieldReader(field);
		case "list": return compileListFieldReader(field);
		case "map": return compileMapFieldReader(field);
	}
}
function compileScalarFieldReader(field) {
	const readScalar = compileScalarReader(field.scalar, field.utf8Validation, field.longAsString);
	const localName = field.localName;
	if (field.oneof) {
		const oneofLocalName = field.oneof.localName;
		return (message, reader) => {
			message[oneofLocalName] = {
				case: localName,
				value: readScalar(reader)
			};
		};
	}
	return (message, reader) => {
		message[localName] = readScalar(reader);
	};
}
function compileEnumFieldReader(field) {
	var _a;
	const localName = field.localName;
	const oneofLocalName = (_a = field.oneof) === null || _a === void 0 ? void 0 : _a.localName;
	if (field.enum.open) {
		if (oneofLocalName !== void 0) return (message, reader) => {
			message[oneofLocalName] = {
				case: localName,
				value: reader.int32()
			};
		};
		return (message, reader) => {
			message[localName] = reader.int32();
		};
	}
	const values = field.enum.values;
	const fieldNo = field.number;
	return (message, reader, ctx, wireType) => {
		var _a;
		const val = reader.int32();
		if (values.some((v) => v.number === val)) if (oneofLocalName !== void 0) message[oneofLocalName] = {
			case: localName,
			value: val
		};
		else message[localName] = val;
		else if (ctx.readUnknownFields) {
			const bytes = [];
			varint32write(val, bytes);
			const unknownFields = (_a = message.$unknown) !== null && _a !== void 0 ? _a : [];
			unknownFields.push({
				no: fieldNo,
				wireType,
				data: new Uint8Array(bytes)
			});
			message.$unknown = unknownFields;
		}
	};
}
function compileMessageFieldReader(field) {
	const localName = field.localName;
	const { toMessage, toLocal } = localMessageMapper(field);
	const readChild = compileChildReader(field);
	if (field.oneof) {
		const oneofLocalName = field.oneof.localName;
		return (message, reader, ctx) => {
			const oneof = message[oneofLocalName];
			const child = toMessage(oneof.case === localName ? oneof.value : void 0);
			readChild(child, reader, ctx);
			message[oneofLocalName] = {
				case: localName,
				value: toLocal(child)
			};
		};
	}
	return (message, reader, ctx) => {
		const child = toMessage(message[localName]);
		readChild(child, reader, ctx);
		message[localName] = toLocal(child);
	};
}
/**
* Compile a decoder for the wire format of a message field, honoring the
* delimited encoding of the field.
*/
function compileChildReader(field) {
	const compiledChild = compiledReader(field.message);
	if (field.delimitedEncoding) {
		const fieldNo = field.number;
		return (child, reader, ctx) => compiledChild.readGroup(child, reader, ctx, fieldNo);
	}
	return (child, reader, ctx) => compiledChild.read(child, reader, ctx, reader.uint32());
}
function compileListFieldReader(field) {
	const localName = field.localName;
	if (field.listKind == "message") {
		const { toMessage, toLocal } = localMessageMapper(field);
		const readChild = compileChildReader(field);
		return (message, reader, ctx) => {
			const child = toMessage(void 0);
			readChild(child, reader, ctx);
			message[localName].push(toLocal(child));
		};
	}
	const scalarType = field.listKind == "enum" ? ScalarType.INT32 : field.scalar;
	const longAsString = field.listKind == "scalar" ? field.longAsString : false;
	const readScalar = compileScalarReader(scalarType, field.utf8Validation, longAsString);
	const packedPossible = scalarType != ScalarType.STRING && scalarType != ScalarType.BYTES;
	return (message, reader, ctx, wireType) => {
		const items = message[localName];
		if (wireType == WireType.LengthDelimited && packedPossible) {
			const end = reader.uint32() + reader.pos;
			while (reader.pos < end) items.push(readScalar(reader));
		} else items.push(readScalar(reader));
	};
}
function compileMapFieldReader(field) {
	const localName = field.localName;
	const readKey = compileScalarReader(field.mapKey, field.utf8Validation, false);
	const keyZero = scalarZeroValue(field.mapKey, false);
	let readValue;
	let valueDefault;
	switch (field.mapKind) {
		case "scalar": {
			const scalar = field.scalar;
			const readScalar = compileScalarReader(scalar, field.utf8Validation, false);
			readValue = (reader) => readScalar(reader);
			if (scalar == ScalarType.BYTES) valueDefault = () => new Uint8Array(0);
			else {
				const zero = scalarZeroValue(scalar, false);
				valueDefault = () => zero;
			}
			break;
		}
		case "enum": {
			const zero = field.enum.values[0].number;
			readValue = (reader) => reader.int32();
			valueDefault = () => zero;
			break;
		}
		case "message": {
			const { toMessage, toLocal } = localMessageMapper(field);
			const readChild = compiledReader(field.message).read;
			readValue = (reader, ctx, existing) => {
				const child = toMessage(existing);
				readChild(child, reader, ctx, reader.uint32());
				return toLocal(child);
			};
			valueDefault = () => toLocal(toMessage(void 0));
			break;
		}
	}
	return (message, reader, ctx) => {
		const record = message[localName];
		let key;
		let val;
		const len = reader.uint32();
		const end = reader.pos + len;
		while (reader.pos < end) {
			const [fieldNo, wireType] = reader.tag();
			switch (fieldNo) {
				case 1:
					key = readKey(reader);
					break;
				case 2:
					val = readValue(reader, ctx, val);
					break;
				default: reader.skip(wireType, fieldNo, ctx.recursionLimit - ctx.depth);
			}
		}
		if (key === void 0) key = keyZero;
		if (val === void 0) val = valueDefault();
		setOwn(record, key, val);
	};
}
/**
* Returns a reader for a scalar value. For 64-bit integers, BinaryReader
* already returns the local representation (bigint or string), so, unlike in
* the reflection layer, no validation is needed here.
*/
function compileScalarReader(type, utf8Validation, longAsString) {
	switch (type) {
		case ScalarType.STRING: return (reader) => reader.string(utf8Validation);
		case ScalarType.BOOL: return (reader) => reader.bool();
		case ScalarType.DOUBLE: return (reader) => reader.double();
		case ScalarType.FLOAT: return (reader) => reader.float();
		case ScalarType.INT32: return (reader) => reader.int32();
		case ScalarType.INT64:
			if (longAsString) return (reader) => String(reader.int64());
			return (reader) => reader.int64();
		case ScalarType.UINT64:
			if (longAsString) return (reader) => String(reader.uint64());
			return (reader) => reader.uint64();
		case ScalarType.FIXED64:
			if (longAsString) return (reader) => String(reader.fixed64());
			return (reader) => reader.fixed64();
		case ScalarType.BYTES: return (reader) => reader.bytes();
		case ScalarType.FIXED32: return (reader) => reader.fixed32();
		case ScalarType.SFIXED32: return (reader) => reader.sfixed32();
		case ScalarType.SFIXED64:
			if (longAsString) return (reader) => String(reader.sfixed64());
			return (reader) => reader.sfixed64();
		case ScalarType.SINT64:
			if (longAsString) return (reader) => String(reader.sint64());
			return (reader) => reader.sint64();
		case ScalarType.UINT32: return (reader) => reader.uint32();
		case ScalarType.SINT32: return (reader) => reader.sint32();
	}
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/codegenv2/file.js
/**
* Hydrate a file descriptor.
*
* @private
*/
function fileDesc(b64, imports) {
	var _a;
	const root = fromBinary(FileDescriptorProtoSchema, base64Decode(b64));
	root.messageType.forEach(restoreJsonNames);
	root.dependency = (_a = imports === null || imports === void 0 ? void 0 : imports.map((f) => f.proto.name)) !== null && _a !== void 0 ? _a : [];
	return createEmbeddedFileRegistry(root, (protoFileName) => imports === null || imports === void 0 ? void 0 : imports.find((f) => f.proto.name === protoFileName)).getFile(root.name);
}
//#endregion
//#region node_modules/@bufbuild/protobuf/dist/esm/to-binary.js
const IMPLICIT = 2;
const LEGACY_REQUIRED = 3;
const writeDefaults = { writeUnknownFields: true };
function makeWriteOptions(options) {
	return options ? Object.assign(Object.assign({}, writeDefaults), options) : writeDefaults;
}
function toBinary(schema, message, options) {
	const writer = new BinaryWriter();
	compiledWriter(schema)(writer, makeWriteOptions(options), message);
	return writer.finish();
}
const compiledWriters = /* @__PURE__ */ new WeakMap();
/**
* Return the compiled encoder for a message, compiling it on first use.
*/
function compiledWriter(desc) {
	let compiled = compiledWriters.get(desc);
	if (compiled === void 0) compiled = compileMessage(desc);
	return compiled;
}
function compileMessage(desc) {
	const typeName = desc.typeName;
	const sortedFields = desc.fields.concat().sort((a, b) => a.number - b.number);
	const foreignField = sortedFields[0];
	const fieldWriters = [];
	const compiled = (writer, opts, message) => {
		if (message.$typeName !== typeName && foreignField !== void 0) throw new FieldError(foreignField, `cannot use ${foreignField} with message ${message.$typeName}`, "ForeignFieldError");
		for (let i = 0; i < fieldWriters.length; i++) fieldWriters[i](writer, opts, message);
		const unknown = message.$unknown;
		if (unknown !== void 0 && opts.writeUnknownFields) for (let i = 0; i < unknown.length; i++) {
			const { no, wireType, data } = unknown[i];
			writer.tag(no, wireType).raw(data);
		}
	};
	compiledWriters.set(desc, compiled);
	for (const field of sortedFields) fieldWriters.push(compileField(field));
	return compiled;
}
function compileField(field) {
	switch (field.fieldKind) {
		case "message":
		case "scalar":
		case "enum": return compileSingularField(field);
		case "list": return compileListField(field);
		case "map": return compileMapField(field);
	}
}
/**
* Compile an encoder for a singular field: the presence check, and the
* value encoder.
*/
function compileSingularField(field) {
	const writeValue = compileSingularValue(field);
	const localName = field.localName;
	if (field.oneof) {
		const oneofLocalName = field.oneof.localName;
		return (writer, opts, message) => {
			const oneof = message[oneofLocalName];
			if (oneof.case === localName) writeValue(writer, opts, oneof.value);
		};
	}
	if (field.presence != IMPLICIT) {
		const requiredError = field.presence == LEGACY_REQUIRED ? `cannot encode ${field} to binary: required field not set` : void 0;
		return (writer, opts, message) => {
			const value = message[localName];
			if (value !== void 0 && Object.prototype.hasOwnProperty.call(message, localName)) writeValue(writer, opts, value);
			else if (requiredError !== void 0) throw new Error(requiredError);
		};
	}
	if (field.fieldKind == "enum") {
		const zero = field.enum.values[0].number;
		return (writer, opts, message) => {
			const value = message[localName];
			if (value !== zero) writeValue(writer, opts, value);
		};
	}
	switch (field.scalar) {
		case ScalarType.BOOL: return (writer, opts, message) => {
			const value = message[localName];
			if (value !== false) writeValue(writer, opts, value);
		};
		case ScalarType.STRING: return (writer, opts, message) => {
			const value = message[localName];
			if (value !== "") writeValue(writer, opts, value);
		};
		case ScalarType.BYTES: return (writer, opts, message) => {
			const value = message[localName];
			if (!(value instanceof Uint8Array) || value.byteLength > 0) writeValue(writer, opts, value);
		};
		case ScalarType.DOUBLE:
		case ScalarType.FLOAT: return (writer, opts, message) => {
			const value = message[localName];
			if (!Object.is(value, 0)) writeValue(writer, opts, value);
		};
		default: return (writer, opts, message) => {
			const value = message[localName];
			if (value != 0) writeValue(writer, opts, value);
		};
	}
}
/**
* Compile an encoder for the value of a singular field, including the tag.
*/
function compileSingularValue(field) {
	switch (field.fieldKind) {
		case "message": {
			const { toMessage } = localMessageMapper(field);
			const writeChild = compileChildWriter(field);
			return (writer, opts, value) => {
				writeChild(writer, opts, toMessage(value));
			};
		}
		case "scalar":
		case "enum": {
			const scalarType = field.fieldKind == "enum" ? ScalarType.INT32 : field.scalar;
			const fieldNo = field.number;
			const wireType = writeTypeOfScalar(scalarType);
			const writeScalar = compileScalarValue(scalarType, field.parent.typeName, field.name);
			return (writer, opts, value) => {
				writer.tag(fieldNo, wireType);
				writeScalar(writer, value);
			};
		}
	}
}
function compileListField(field) {
	const localName = field.localName;
	const fieldNo = field.number;
	switch (field.listKind) {
		case "message": {
			const { toMessage } = localMessageMapper(field);
			const writeChild = compileChildWriter(field);
			return (writer, opts, message) => {
				const items = message[localName];
				for (let i = 0; i < items.length; i++) writeChild(writer, opts, toMessage(items[i]));
			};
		}
		case "scalar":
		case "enum": {
			const scalarType = field.listKind == "enum" ? ScalarType.INT32 : field.scalar;
			const writeScalar = compileScalarValue(scalarType, field.parent.typeName, field.name);
			if (field.packed) return (writer, opts, message) => {
				const items = message[localName];
				if (items.length == 0) return;
				writer.tag(fieldNo, WireType.LengthDelimited).fork();
				for (let i = 0; i < items.length; i++) writeScalar(writer, items[i]);
				writer.join();
			};
			const wireType = writeTypeOfScalar(scalarType);
			return (writer, opts, message) => {
				const items = message[localName];
				for (let i = 0; i < items.length; i++) {
					writer.tag(fieldNo, wireType);
					writeScalar(writer, items[i]);
				}
			};
		}
	}
}
function compileMapField(field) {
	const localName = field.localName;
	const fieldNo = field.number;
	const writeKey = compileMapKey(field);
	if (field.mapKind == "message") {
		const { toMessage } = localMessageMapper(field);
		const writeMessage = compiledWriter(field.message);
		return (writer, opts, message) => {
			const record = message[localName];
			const keys = Object.keys(record);
			for (let i = 0; i < keys.length; i++) {
				const key = keys[i];
				writer.tag(fieldNo, WireType.LengthDelimited).fork();
				writeKey(writer, key);
				writer.tag(2, WireType.LengthDelimited).fork();
				writeMessage(writer, opts, toMessage(record[key]));
				writer.join();
				writer.join();
			}
		};
	}
	const scalarType = field.mapKind == "enum" ? ScalarType.INT32 : field.scalar;
	const valueWireType = writeTypeOfScalar(scalarType);
	const writeScalar = compileScalarValue(scalarType, field.parent.typeName, field.name);
	return (writer, opts, message) => {
		const record = message[localName];
		const keys = Object.keys(record);
		for (let i = 0; i < keys.length; i++) {
			const key = keys[i];
			writer.tag(fieldNo, WireType.LengthDelimited).fork();
			writeKey(writer, key);
			writer.tag(2, valueWireType);
			writeScalar(writer, record[key]);
			writer.join();
		}
	};
}
/**
* Compile an encoder for a map key. Map keys are stored as object keys and
* are always strings locally. Convert them to their scalar type before
* writing, like the reflect API does when iterating map entries.
*/
function compileMapKey(field) {
	const wireType = writeTypeOfScalar(field.mapKey);
	const writeScalar = compileScalarValue(field.mapKey, field.parent.typeName, field.name);
	const convertKey = compileMapKeyConverter(field.mapKey);
	return (writer, key) => {
		writer.tag(1, wireType);
		writeScalar(writer, convertKey(key));
	};
}
/**
* Returns a converter from an object key (always a string) to the closest
* possible type for the map key type. Invalid keys are passed through to
* the scalar writer, which raises an error for them.
*/
function compileMapKeyConverter(type) {
	switch (type) {
		case ScalarType.STRING: return (key) => key;
		case ScalarType.BOOL: return (key) => key === "true" ? true : key === "false" ? false : key;
		case ScalarType.UINT64:
		case ScalarType.FIXED64: return (key) => {
			try {
				return protoInt64.uParse(key);
			} catch (_a) {
				return key;
			}
		};
		case ScalarType.INT64:
		case ScalarType.SFIXED64:
		case ScalarType.SINT64: return (key) => {
			try {
				return protoInt64.parse(key);
			} catch (_a) {
				return key;
			}
		};
		default: return (key) => {
			const n = Number.parseInt(key);
			return Number.isFinite(n) ? n : key;
		};
	}
}
/**
* Compile an encoder for a bare scalar value (no tag), wrapping errors from
* the writer with the message and field name.
*/
function compileScalarValue(type, messageName, fieldName) {
	const writeScalar = compileScalarWrite(type);
	return (writer, value) => {
		try {
			writeScalar(writer, value);
		} catch (e) {
			if (e instanceof Error) throw new Error(`cannot encode field ${messageName}.${fieldName} to binary: ${e.message}`);
			throw e;
		}
	};
}
function compileScalarWrite(type) {
	switch (type) {
		case ScalarType.STRING: return (writer, value) => writer.string(value);
		case ScalarType.BOOL: return (writer, value) => writer.bool(value);
		case ScalarType.DOUBLE: return (writer, value) => writer.double(value);
		case ScalarType.FLOAT: return (writer, value) => writer.float(value);
		case ScalarType.INT32: return (writer, value) => writer.int32(value);
		case ScalarType.INT64: return (writer, value) => writer.int64(value);
		case ScalarType.UINT64: return (writer, value) => writer.uint64(value);
		case ScalarType.FIXED64: return (writer, value) => writer.fixed64(value);
		case ScalarType.BYTES: return (writer, value) => writer.bytes(value);
		case ScalarType.FIXED32: return (writer, value) => writer.fixed32(value);
		case ScalarType.SFIXED32: return (writer, value) => writer.sfixed32(value);
		case ScalarType.SFIXED64: return (writer, value) => writer.sfixed64(value);
		case ScalarType.SINT64: return (writer, value) => writer.sint64(value);
		case ScalarType.UINT32: return (writer, value) => writer.uint32(value);
		case ScalarType.SINT32: return (writer, value) => writer.sint32(value);
	}
}
/**
* Compile an encoder for the wire format of a message field, honoring the
* delimited encoding of the field. The tag is written by the encoder.
*/
function compileChildWriter(field) {
	const fieldNo = field.number;
	const writeMessage = compiledWriter(field.message);
	if (field.delimitedEncoding) return (writer, opts, child) => {
		writer.tag(fieldNo, WireType.StartGroup);
		writeMessage(writer, opts, child);
		writer.tag(fieldNo, WireType.EndGroup);
	};
	return (writer, opts, child) => {
		writer.tag(fieldNo, WireType.LengthDelimited).fork();
		writeMessage(writer, opts, child);
		writer.join();
	};
}
function writeTypeOfScalar(type) {
	switch (type) {
		case ScalarType.BYTES:
		case ScalarType.STRING: return WireType.LengthDelimited;
		case ScalarType.DOUBLE:
		case ScalarType.FIXED64:
		case ScalarType.SFIXED64: return WireType.Bit64;
		case ScalarType.FIXED32:
		case ScalarType.SFIXED32:
		case ScalarType.FLOAT: return WireType.Bit32;
		default: return WireType.Varint;
	}
}
//#endregion
//#region src/graph/onnx_pb.ts
/**
* Describes the file onnx.proto.
*/
const file_onnx = /* @__PURE__ */ fileDesc("Cgpvbm54LnByb3RvEgRvbm54ItsFCg5BdHRyaWJ1dGVQcm90bxIMCgRuYW1lGAEgASgJEhUKDXJlZl9hdHRyX25hbWUYFSABKAkSEgoKZG9jX3N0cmluZxgNIAEoCRIwCgR0eXBlGBQgASgOMiIub25ueC5BdHRyaWJ1dGVQcm90by5BdHRyaWJ1dGVUeXBlEgkKAWYYAiABKAISCQoBaRgDIAEoAxIJCgFzGAQgASgMEhwKAXQYBSABKAsyES5vbm54LlRlbnNvclByb3RvEhsKAWcYBiABKAsyEC5vbm54LkdyYXBoUHJvdG8SLgoNc3BhcnNlX3RlbnNvchgWIAEoCzIXLm9ubnguU3BhcnNlVGVuc29yUHJvdG8SGwoCdHAYDiABKAsyDy5vbm54LlR5cGVQcm90bxIOCgZmbG9hdHMYByADKAISDAoEaW50cxgIIAMoAxIPCgdzdHJpbmdzGAkgAygMEiIKB3RlbnNvcnMYCiADKAsyES5vbm54LlRlbnNvclByb3RvEiAKBmdyYXBocxgLIAMoCzIQLm9ubnguR3JhcGhQcm90bxIvCg5zcGFyc2VfdGVuc29ycxgXIAMoCzIXLm9ubnguU3BhcnNlVGVuc29yUHJvdG8SJAoLdHlwZV9wcm90b3MYDyADKAsyDy5vbm54LlR5cGVQcm90byLZAQoNQXR0cmlidXRlVHlwZRINCglVTkRFRklORUQQABIJCgVGTE9BVBABEgcKA0lOVBACEgoKBlNUUklORxADEgoKBlRFTlNPUhAEEgkKBUdSQVBIEAUSEQoNU1BBUlNFX1RFTlNPUhALEg4KClRZUEVfUFJPVE8QDRIKCgZGTE9BVFMQBhIICgRJTlRTEAcSCwoHU1RSSU5HUxAIEgsKB1RFTlNPUlMQCRIKCgZHUkFQSFMQChISCg5TUEFSU0VfVEVOU09SUxAMEg8KC1RZUEVfUFJPVE9TEA5KBAgMEA1KBAgQEBRSAXYihwEKDlZhbHVlSW5mb1Byb3RvEgwKBG5hbWUYASABKAkSHQoEdHlwZRgCIAEoCzIPLm9ubnguVHlwZVByb3RvEhIKCmRvY19zdHJpbmcYAyABKAkSNAoObWV0YWRhdGFfcHJvcHMYBCADKAsyHC5vbm54LlN0cmluZ1N0cmluZ0VudHJ5UHJvdG8ioQIKCU5vZGVQcm90bxINCgVpbnB1dBgBIAMoCRIOCgZvdXRwdXQYAiADKAkSDAoEbmFtZRgDIAEoCRIPCgdvcF90eXBlGAQgASgJEg4KBmRvbWFpbhgHIAEoCRIQCghvdmVybG9hZBgIIAEoCRInCglhdHRyaWJ1dGUYBSADKAsyFC5vbm54LkF0dHJpYnV0ZVByb3RvEhIKCmRvY19zdHJpbmcYBiABKAkSNAoObWV0YWRhdGFfcHJvcHMYCSADKAsyHC5vbm54LlN0cmluZ1N0cmluZ0VudHJ5UHJvdG8SQQoVZGV2aWNlX2NvbmZpZ3VyYXRpb25zGAogAygLMiIub25ueC5Ob2RlRGV2aWNlQ29uZmlndXJhdGlvblByb3RvIjIKFEludEludExpc3RFbnRyeVByb3RvEgsKA2tleRgBIAEoAxINCgV2YWx1ZRgCIAMoAyKAAQocTm9kZURldmljZUNvbmZpZ3VyYXRpb25Qcm90bxIYChBjb25maWd1cmF0aW9uX2lkGAEgASgJEi4KDXNoYXJkaW5nX3NwZWMYAiADKAsyFy5vbm54LlNoYXJkaW5nU3BlY1Byb3RvEhYKDnBpcGVsaW5lX3N0YWdlGAMgASgFIqMBChFTaGFyZGluZ1NwZWNQcm90bxITCgt0ZW5zb3JfbmFtZRgBIAEoCRIOCgZkZXZpY2UYAiADKAMSPQoZaW5kZXhfdG9fZGV2aWNlX2dyb3VwX21hcBgDIAMoCzIaLm9ubnguSW50SW50TGlzdEVudHJ5UHJvdG8SKgoLc2hhcmRlZF9kaW0YBCADKAsyFS5vbm54LlNoYXJkZWREaW1Qcm90byJVCg9TaGFyZGVkRGltUHJvdG8SDAoEYXhpcxgBIAEoAxI0Cg9zaW1wbGVfc2hhcmRpbmcYAiADKAsyGy5vbm54LlNpbXBsZVNoYXJkZWREaW1Qcm90byJcChVTaW1wbGVTaGFyZGVkRGltUHJvdG8SEwoJZGltX3ZhbHVlGAEgASgDSAASEwoJZGltX3BhcmFtGAIgASgJSAASEgoKbnVtX3NoYXJkcxgDIAEoA0IFCgNkaW0i1gEKEVRyYWluaW5nSW5mb1Byb3RvEigKDmluaXRpYWxpemF0aW9uGAEgASgLMhAub25ueC5HcmFwaFByb3RvEiMKCWFsZ29yaXRobRgCIAEoCzIQLm9ubnguR3JhcGhQcm90bxI8ChZpbml0aWFsaXphdGlvbl9iaW5kaW5nGAMgAygLMhwub25ueC5TdHJpbmdTdHJpbmdFbnRyeVByb3RvEjQKDnVwZGF0ZV9iaW5kaW5nGAQgAygLMhwub25ueC5TdHJpbmdTdHJpbmdFbnRyeVByb3RvIqIDCgpNb2RlbFByb3RvEhIKCmlyX3ZlcnNpb24YASABKAMSLgoMb3BzZXRfaW1wb3J0GAggAygLMhgub25ueC5PcGVyYXRvclNldElkUHJvdG8SFQoNcHJvZHVjZXJfbmFtZRgCIAEoCRIYChBwcm9kdWNlcl92ZXJzaW9uGAMgASgJEg4KBmRvbWFpbhgEIAEoCRIVCg1tb2RlbF92ZXJzaW9uGAUgASgDEhIKCmRvY19zdHJpbmcYBiABKAkSHwoFZ3JhcGgYByABKAsyEC5vbm54LkdyYXBoUHJvdG8SNAoObWV0YWRhdGFfcHJvcHMYDiADKAsyHC5vbm54LlN0cmluZ1N0cmluZ0VudHJ5UHJvdG8SLgoNdHJhaW5pbmdfaW5mbxgUIAMoCzIXLm9ubnguVHJhaW5pbmdJbmZvUHJvdG8SJgoJZnVuY3Rpb25zGBkgAygLMhMub25ueC5GdW5jdGlvblByb3RvEjUKDWNvbmZpZ3VyYXRpb24YGiADKAsyHi5vbm54LkRldmljZUNvbmZpZ3VyYXRpb25Qcm90byJNChhEZXZpY2VDb25maWd1cmF0aW9uUHJvdG8SDAoEbmFtZRgBIAEoCRITCgtudW1fZGV2aWNlcxgCIAEoBRIOCgZkZXZpY2UYAyADKAkiNAoWU3RyaW5nU3RyaW5nRW50cnlQcm90bxILCgNrZXkYASABKAkSDQoFdmFsdWUYAiABKAkiawoQVGVuc29yQW5ub3RhdGlvbhITCgt0ZW5zb3JfbmFtZRgBIAEoCRJCChxxdWFudF9wYXJhbWV0ZXJfdGVuc29yX25hbWVzGAIgAygLMhwub25ueC5TdHJpbmdTdHJpbmdFbnRyeVByb3RvItQDCgpHcmFwaFByb3RvEh0KBG5vZGUYASADKAsyDy5vbm54Lk5vZGVQcm90bxIMCgRuYW1lGAIgASgJEiYKC2luaXRpYWxpemVyGAUgAygLMhEub25ueC5UZW5zb3JQcm90bxIzChJzcGFyc2VfaW5pdGlhbGl6ZXIYDyADKAsyFy5vbm54LlNwYXJzZVRlbnNvclByb3RvEhIKCmRvY19zdHJpbmcYCiABKAkSIwoFaW5wdXQYCyADKAsyFC5vbm54LlZhbHVlSW5mb1Byb3RvEiQKBm91dHB1dBgMIAMoCzIULm9ubnguVmFsdWVJbmZvUHJvdG8SKAoKdmFsdWVfaW5mbxgNIAMoCzIULm9ubnguVmFsdWVJbmZvUHJvdG8SNwoXcXVhbnRpemF0aW9uX2Fubm90YXRpb24YDiADKAsyFi5vbm54LlRlbnNvckFubm90YXRpb24SNAoObWV0YWRhdGFfcHJvcHMYECADKAsyHC5vbm54LlN0cmluZ1N0cmluZ0VudHJ5UHJvdG9KBAgDEARKBAgEEAVKBAgGEApSCmlyX3ZlcnNpb25SEHByb2R1Y2VyX3ZlcnNpb25SDHByb2R1Y2VyX3RhZ1IGZG9tYWluIqIHCgtUZW5zb3JQcm90bxIMCgRkaW1zGAEgAygDEhEKCWRhdGFfdHlwZRgCIAEoBRIqCgdzZWdtZW50GAMgASgLMhkub25ueC5UZW5zb3JQcm90by5TZWdtZW50EhYKCmZsb2F0X2RhdGEYBCADKAJCAhABEhYKCmludDMyX2RhdGEYBSADKAVCAhABEhMKC3N0cmluZ19kYXRhGAYgAygMEhYKCmludDY0X2RhdGEYByADKANCAhABEgwKBG5hbWUYCCABKAkSEgoKZG9jX3N0cmluZxgMIAEoCRIQCghyYXdfZGF0YRgJIAEoDBIzCg1leHRlcm5hbF9kYXRhGA0gAygLMhwub25ueC5TdHJpbmdTdHJpbmdFbnRyeVByb3RvEjUKDWRhdGFfbG9jYXRpb24YDiABKA4yHi5vbm54LlRlbnNvclByb3RvLkRhdGFMb2NhdGlvbhIXCgtkb3VibGVfZGF0YRgKIAMoAUICEAESFwoLdWludDY0X2RhdGEYCyADKARCAhABEjQKDm1ldGFkYXRhX3Byb3BzGBAgAygLMhwub25ueC5TdHJpbmdTdHJpbmdFbnRyeVByb3RvGiUKB1NlZ21lbnQSDQoFYmVnaW4YASABKAMSCwoDZW5kGAIgASgDIo4DCghEYXRhVHlwZRINCglVTkRFRklORUQQABIJCgVGTE9BVBABEgkKBVVJTlQ4EAISCAoESU5UOBADEgoKBlVJTlQxNhAEEgkKBUlOVDE2EAUSCQoFSU5UMzIQBhIJCgVJTlQ2NBAHEgoKBlNUUklORxAIEggKBEJPT0wQCRILCgdGTE9BVDE2EAoSCgoGRE9VQkxFEAsSCgoGVUlOVDMyEAwSCgoGVUlOVDY0EA0SDQoJQ09NUExFWDY0EA4SDgoKQ09NUExFWDEyOBAPEgwKCEJGTE9BVDE2EBASEAoMRkxPQVQ4RTRNM0ZOEBESEgoORkxPQVQ4RTRNM0ZOVVoQEhIOCgpGTE9BVDhFNU0yEBMSEgoORkxPQVQ4RTVNMkZOVVoQFBIJCgVVSU5UNBAVEggKBElOVDQQFhIOCgpGTE9BVDRFMk0xEBcSDgoKRkxPQVQ4RThNMBAYEgkKBVVJTlQyEBkSCAoESU5UMhAaEg4KCkZMT0FUNkUyTTMQGxIOCgpGTE9BVDZFM00yEBwiKQoMRGF0YUxvY2F0aW9uEgsKB0RFRkFVTFQQABIMCghFWFRFUk5BTBABImgKEVNwYXJzZVRlbnNvclByb3RvEiEKBnZhbHVlcxgBIAEoCzIRLm9ubnguVGVuc29yUHJvdG8SIgoHaW5kaWNlcxgCIAEoCzIRLm9ubnguVGVuc29yUHJvdG8SDAoEZGltcxgDIAMoAyKVAQoQVGVuc29yU2hhcGVQcm90bxItCgNkaW0YASADKAsyIC5vbm54LlRlbnNvclNoYXBlUHJvdG8uRGltZW5zaW9uGlIKCURpbWVuc2lvbhITCglkaW1fdmFsdWUYASABKANIABITCglkaW1fcGFyYW0YAiABKAlIABISCgpkZW5vdGF0aW9uGAMgASgJQgcKBXZhbHVlIrcFCglUeXBlUHJvdG8SLQoLdGVuc29yX3R5cGUYASABKAsyFi5vbm54LlR5cGVQcm90by5UZW5zb3JIABIxCg1zZXF1ZW5jZV90eXBlGAQgASgLMhgub25ueC5UeXBlUHJvdG8uU2VxdWVuY2VIABInCghtYXBfdHlwZRgFIAEoCzITLm9ubnguVHlwZVByb3RvLk1hcEgAEjEKDW9wdGlvbmFsX3R5cGUYCSABKAsyGC5vbm54LlR5cGVQcm90by5PcHRpb25hbEgAEjoKEnNwYXJzZV90ZW5zb3JfdHlwZRgIIAEoCzIcLm9ubnguVHlwZVByb3RvLlNwYXJzZVRlbnNvckgAEi0KC29wYXF1ZV90eXBlGAcgASgLMhYub25ueC5UeXBlUHJvdG8uT3BhcXVlSAASEgoKZGVub3RhdGlvbhgGIAEoCRpCCgZUZW5zb3ISEQoJZWxlbV90eXBlGAEgASgFEiUKBXNoYXBlGAIgASgLMhYub25ueC5UZW5zb3JTaGFwZVByb3RvGi4KCFNlcXVlbmNlEiIKCWVsZW1fdHlwZRgBIAEoCzIPLm9ubnguVHlwZVByb3RvGjwKA01hcBIQCghrZXlfdHlwZRgBIAEoBRIjCgp2YWx1ZV90eXBlGAIgASgLMg8ub25ueC5UeXBlUHJvdG8aLgoIT3B0aW9uYWwSIgoJZWxlbV90eXBlGAEgASgLMg8ub25ueC5UeXBlUHJvdG8aSAoMU3BhcnNlVGVuc29yEhEKCWVsZW1fdHlwZRgBIAEoBRIlCgVzaGFwZRgCIAEoCzIWLm9ubnguVGVuc29yU2hhcGVQcm90bxo4CgZPcGFxdWUSDgoGZG9tYWluGAEgASgJEgwKBG5hbWUYAiABKAlKBAgDEARSCnBhcmFtZXRlcnNCBwoFdmFsdWUiNQoST3BlcmF0b3JTZXRJZFByb3RvEg4KBmRvbWFpbhgBIAEoCRIPCgd2ZXJzaW9uGAIgASgDIoYDCg1GdW5jdGlvblByb3RvEgwKBG5hbWUYASABKAkSDQoFaW5wdXQYBCADKAkSDgoGb3V0cHV0GAUgAygJEhEKCWF0dHJpYnV0ZRgGIAMoCRItCg9hdHRyaWJ1dGVfcHJvdG8YCyADKAsyFC5vbm54LkF0dHJpYnV0ZVByb3RvEh0KBG5vZGUYByADKAsyDy5vbm54Lk5vZGVQcm90bxISCgpkb2Nfc3RyaW5nGAggASgJEi4KDG9wc2V0X2ltcG9ydBgJIAMoCzIYLm9ubnguT3BlcmF0b3JTZXRJZFByb3RvEg4KBmRvbWFpbhgKIAEoCRIQCghvdmVybG9hZBgNIAEoCRIoCgp2YWx1ZV9pbmZvGAwgAygLMhQub25ueC5WYWx1ZUluZm9Qcm90bxI0Cg5tZXRhZGF0YV9wcm9wcxgOIAMoCzIcLm9ubnguU3RyaW5nU3RyaW5nRW50cnlQcm90b0oECAIQA0oECAMQBFINc2luY2VfdmVyc2lvblIGc3RhdHVzKoIDCgdWZXJzaW9uEhIKDl9TVEFSVF9WRVJTSU9OEAASGQoVSVJfVkVSU0lPTl8yMDE3XzEwXzEwEAESGQoVSVJfVkVSU0lPTl8yMDE3XzEwXzMwEAISGAoUSVJfVkVSU0lPTl8yMDE3XzExXzMQAxIYChRJUl9WRVJTSU9OXzIwMTlfMV8yMhAEEhgKFElSX1ZFUlNJT05fMjAxOV8zXzE4EAUSGAoUSVJfVkVSU0lPTl8yMDE5XzlfMTkQBhIXChNJUl9WRVJTSU9OXzIwMjBfNV84EAcSGAoUSVJfVkVSU0lPTl8yMDIxXzdfMzAQCBIXChNJUl9WRVJTSU9OXzIwMjNfNV81EAkSGAoUSVJfVkVSU0lPTl8yMDI0XzNfMjUQChIZChVJUl9WRVJTSU9OXzIwMjVfMDVfMTIQCxIZChVJUl9WRVJTSU9OXzIwMjVfMDhfMjYQDBIZChVJUl9WRVJTSU9OXzIwMjVfMTFfMDYQDRIOCgpJUl9WRVJTSU9OEA4qLgoOT3BlcmF0b3JTdGF0dXMSEAoMRVhQRVJJTUVOVEFMEAASCgoGU1RBQkxFEAFCAkgD");
/**
* Describes the message onnx.AttributeProto.
* Use `create(AttributeProtoSchema)` to create a new message.
*/
const AttributeProtoSchema = /* @__PURE__ */ messageDesc(file_onnx, 0);
/**
* Describes the message onnx.ValueInfoProto.
* Use `create(ValueInfoProtoSchema)` to create a new message.
*/
const ValueInfoProtoSchema = /* @__PURE__ */ messageDesc(file_onnx, 1);
/**
* Describes the message onnx.NodeProto.
* Use `create(NodeProtoSchema)` to create a new message.
*/
const NodeProtoSchema = /* @__PURE__ */ messageDesc(file_onnx, 2);
/**
* Describes the message onnx.ModelProto.
* Use `create(ModelProtoSchema)` to create a new message.
*/
const ModelProtoSchema = /* @__PURE__ */ messageDesc(file_onnx, 9);
/**
* Describes the message onnx.TensorProto.
* Use `create(TensorProtoSchema)` to create a new message.
*/
const TensorProtoSchema = /* @__PURE__ */ messageDesc(file_onnx, 14);
//#endregion
//#region src/graph/program.ts
const inputName = (t) => t.node.attrs.name;
/** A program over everything its outputs depend on. Inputs are found by walking; `inputs` sets their order. */
function program(name, outputs, inputs = []) {
	const reached = nodesOf(outputs.values()).filter((n) => n.op === "Input");
	const given = new Set(inputs.map((t) => t.node));
	const rest = reached.filter((n) => !given.has(n)).map((n) => n.outputs[0]);
	const all = [...inputs.filter((t) => reached.includes(t.node)), ...rest];
	const names = /* @__PURE__ */ new Set();
	for (const t of all) {
		if (names.has(inputName(t))) throw new TesseraeError("internal", `two inputs are called ${inputName(t)}`);
		names.add(inputName(t));
	}
	return {
		name,
		inputs: all,
		outputs
	};
}
/** The same program over other tensors. */
const programOf = (original, image) => ({
	...original,
	outputs: new Map([...original.outputs].map(([name, t]) => [name, image(t)]))
});
//#endregion
//#region src/graph/rewrite.ts
/** Rebuilds a program from its inputs to its outputs, offering every operator to a rule. */
function rewrite(program, rule) {
	const image = /* @__PURE__ */ new Map();
	const mapped = (t) => image.get(t) ?? t;
	for (const node of nodesOf(program.outputs.values())) {
		if (node.op === "Input") continue;
		const inputs = node.inputs.map((t) => t && mapped(t));
		const changed = inputs.some((t, i) => t !== node.inputs[i]);
		const outputs = withScope(node.scope, () => rule(node, inputs) ?? (changed ? applyAll(node.op, inputs, node.attrs) : void 0));
		if (outputs) node.outputs.forEach((t, i) => void image.set(t, outputs[i]));
	}
	return programOf(program, mapped);
}
//#endregion
//#region src/graph/passes/decompose.ts
/** Replaces operators that the exported opset lacks by what they are made of. */
const decompose = (program) => rewrite(program, (node, inputs) => {
	if (node.op === "Constant") return void 0;
	const parts = opDef(node.op).decompose?.(inputs, node.attrs);
	return parts && [parts];
});
//#endregion
//#region src/graph/onnx.ts
/** Opset of exported files. */
const OPSET = 18n;
const DATA_TYPES = {
	float32: 1,
	float64: 11,
	float16: 10,
	bfloat16: 16,
	int64: 7,
	int32: 6,
	int16: 5,
	int8: 3,
	uint64: 13,
	uint32: 12,
	uint16: 4,
	uint8: 2,
	bool: 9
};
/** Attributes that are floats in ONNX even when their value is whole. */
const FLOAT_ATTRIBUTES = new Set([
	"alpha",
	"beta",
	"epsilon",
	"momentum",
	"gamma",
	"lambd",
	"bias",
	"cubic_coeff_a"
]);
/** Writes a program as ONNX. Weights (constants) become initializers; a free batch is the symbol "N". */
function encodeModel(original, options = {}) {
	const program = decompose(original);
	const nodes = nodesOf(program.outputs.values());
	const external = nodes.filter((n) => n.op === "Constant").reduce((sum, n) => sum + sizeOf(n.outputs[0].shape) * 4, 0) > (options.externalAbove ?? 19e8) ? new ExternalData(options.externalLocation) : void 0;
	const writer = new Writer(program, nodes, external);
	const graph = {
		name: program.name,
		node: writer.nodes,
		initializer: writer.initializers,
		input: program.inputs.map((t) => valueInfo(inputName(t), t)),
		output: [...program.outputs].map(([name, t]) => valueInfo(name, t))
	};
	return {
		model: toBinary(ModelProtoSchema, create(ModelProtoSchema, {
			irVersion: 8n,
			producerName: "tesserae",
			opsetImport: [...writer.domains].map((domain) => ({
				domain,
				version: domain === "" ? OPSET : 1n
			})),
			graph,
			metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({
				key,
				value
			}))
		})),
		external: external && {
			location: external.location,
			chunks: external.chunks
		}
	};
}
/** Metadata properties of an ONNX file. Throws TesseraeError("weights") for bytes that are no ONNX model. */
function readMetadata(bytes) {
	return new Map(decodeProto(bytes).metadataProps.map(({ key, value }) => [key, value]));
}
function decodeProto(bytes) {
	try {
		return fromBinary(ModelProtoSchema, bytes);
	} catch (cause) {
		throw new TesseraeError("weights", "the bytes are not an ONNX model", { cause });
	}
}
/** Consecutive chunks as one array; a single one is not copied. */
function joinChunks(chunks) {
	if (chunks.length === 1) return chunks[0];
	const all = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
	let at = 0;
	for (const chunk of chunks) {
		all.set(chunk, at);
		at += chunk.length;
	}
	return all;
}
/** Collects large tensors, each aligned to 64 bytes, for a file beside the model. */
var ExternalData = class {
	location;
	chunks = [];
	#offset = 0;
	constructor(location = "model.onnx.data") {
		this.location = location;
	}
	add(bytes) {
		const padding = -this.#offset & 63;
		if (padding) this.chunks.push(new Uint8Array(padding));
		const offset = this.#offset + padding;
		this.chunks.push(bytes);
		this.#offset = offset + bytes.length;
		return {
			offset,
			length: bytes.length
		};
	}
};
var Writer = class {
	nodes = [];
	initializers = [];
	domains = new Set([""]);
	#names = /* @__PURE__ */ new Map();
	#used;
	#shared = /* @__PURE__ */ new Map();
	#external;
	/** An input whose first axis is the free batch. */
	#batched;
	#sized = false;
	constructor(program, nodes, external) {
		this.#external = external;
		this.#batched = program.inputs.find((t) => t.shape[0] === -1);
		this.#used = new Set([...nodes.flatMap((n) => n.inputs), ...program.outputs.values()].filter((t) => t !== void 0));
		const outputs = this.#outputNames(program);
		for (const node of nodes) this.#write(node);
		for (const [name, t] of outputs) this.#node("Identity", "", [this.#names.get(t)], [name], []);
	}
	/** Gives each computed tensor its first output name; returns the names left to be copied. */
	#outputNames({ outputs }) {
		const left = /* @__PURE__ */ new Map();
		for (const [name, t] of outputs) if (t.node.op === "Input" || t.node.op === "Constant" || this.#names.has(t)) left.set(name, t);
		else this.#names.set(t, name);
		return left;
	}
	#write(node) {
		if (node.op === "Input") this.#names.set(node.outputs[0], inputName(node.outputs[0]));
		else if (node.op === "Constant") this.#names.set(node.outputs[0], this.#constant(node));
		else this.#operator(node);
	}
	#operator(node) {
		const def = opDef(node.op);
		const inputs = node.inputs.map((t) => t ? this.#names.get(t) : "");
		const all = node.op === "Split";
		const outputs = node.outputs.map((t) => all || this.#used.has(t) || t.index === 0 ? this.#name(t, node) : "");
		while (outputs.at(-1) === "") outputs.pop();
		const listed = def.inputAttrs ?? [];
		const unwritten = [...listed, ...def.hostAttrs ?? []];
		const grows = growsToBatch(node);
		for (const key of listed) inputs.push(grows ? this.#batchShape(node.outputs[0].shape) : this.#shapeInput(node, key));
		if (node.op === "Pad" && node.attrs.value) inputs.push(this.#float(node.attrs.value));
		const attributes = Object.entries(node.attrs).filter(([key, value]) => value !== void 0 && !unwritten.includes(key) && !(node.op === "Pad" && key === "value")).map(([key, value]) => attribute(key, value));
		this.#node(def.onnxName ?? node.op, def.domain ?? "", inputs, outputs, attributes, `${node.scope || "main"}/${node.op}_${node.id}`);
	}
	#node(opType, domain, input, output, attributes, name) {
		this.domains.add(domain);
		this.nodes.push(create(NodeProtoSchema, {
			opType,
			domain,
			input,
			output,
			attribute: attributes,
			name: name ?? output[0]
		}));
	}
	#name(t, node) {
		const known = this.#names.get(t);
		if (known !== void 0) return known;
		const name = t.index === 0 ? `v${node.id}` : `v${node.id}.${t.index}`;
		this.#names.set(t, name);
		return name;
	}
	/** An attribute that ONNX takes as an int64 input; the free batch becomes -1 (Reshape) or 1 (Expand). */
	#shapeInput(node, key) {
		const free = node.op === "Expand" ? 1 : -1;
		const isShape = key === "shape";
		const values = node.attrs[key].map((v) => isShape && v < 0 ? free : v);
		return this.#share("int64", [values.length], values);
	}
	/** A shape with the batch in it, computed from the size of an input as the program runs. */
	#batchShape(shape) {
		const name = `batch_shape${this.nodes.length}`;
		const parts = shape.map((d) => d < 0 ? this.#batchTimes(-d) : this.#share("int64", [1], [d]));
		this.#node("Concat", "", parts, [name], [attribute("axis", 0)]);
		return name;
	}
	#batchTimes(k) {
		const source = this.#batched;
		if (!source) throw new TesseraeError("internal", "a tensor grows to a batch that no input has");
		if (!this.#names.has(source)) this.#write(source.node);
		if (!this.#sized) {
			const ends = [attribute("start", 0), attribute("end", 1)];
			this.#node("Shape", "", [this.#names.get(source)], ["batch_size"], ends);
			this.#sized = true;
		}
		if (k === 1) return "batch_size";
		const name = `batch_size${this.nodes.length}`;
		this.#node("Mul", "", ["batch_size", this.#share("int64", [1], [k])], [name], []);
		return name;
	}
	#float(value) {
		return this.#share("float32", [], [value]);
	}
	#constant(node) {
		const { dtype, shape } = node.outputs[0];
		const value = node.attrs.value;
		if (sizeOf(shape) <= 16 && value.data instanceof Float64Array) return this.#share(dtype, shape, value.data);
		const name = node.attrs.name ?? `c${node.id}`;
		this.#initializer(name, dtype, shape, "dtype" in value ? value.data : fromDoubles(dtype, value.data));
		return name;
	}
	/** Small constants of equal type and value are written once. */
	#share(dtype, shape, values) {
		const key = `${dtype}[${shape}]${Array.from(values, (v) => Object.is(v, -0) ? "-0" : v).join()}`;
		let name = this.#shared.get(key);
		if (name === void 0) {
			name = `k${this.#shared.size}`;
			this.#shared.set(key, name);
			this.#initializer(name, dtype, shape, fromDoubles(dtype, values));
		}
		return name;
	}
	#initializer(name, dtype, shape, data) {
		const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
		const proto = create(TensorProtoSchema, {
			name,
			dims: shape.map(BigInt),
			dataType: DATA_TYPES[dtype]
		});
		if (this.#external && bytes.length >= 1024) {
			const { offset, length } = this.#external.add(bytes);
			proto.dataLocation = 1;
			const entries = {
				location: this.#external.location,
				offset: String(offset),
				length: String(length)
			};
			proto.externalData = Object.entries(entries).map(([key, value]) => ({
				$typeName: "onnx.StringStringEntryProto",
				key,
				value
			}));
		} else proto.rawData = bytes;
		this.initializers.push(proto);
	}
};
/** Does the node expand a tensor without the free batch to one with it? */
const growsToBatch = ({ op, inputs, outputs }) => op === "Expand" && outputs[0].shape.some((d) => d < 0) && !inputs[0].shape.some((d) => d < 0);
function attribute(name, value) {
	if (typeof value === "string") {
		if (name === "to") return attribute(name, DATA_TYPES[value]);
		return create(AttributeProtoSchema, {
			name,
			type: 3,
			s: new TextEncoder().encode(value)
		});
	}
	if (typeof value === "number") return FLOAT_ATTRIBUTES.has(name) ? create(AttributeProtoSchema, {
		name,
		type: 1,
		f: value
	}) : create(AttributeProtoSchema, {
		name,
		type: 2,
		i: BigInt(value)
	});
	if (Array.isArray(value)) return create(AttributeProtoSchema, {
		name,
		type: 7,
		ints: value.map(BigInt)
	});
	throw new TesseraeError("internal", `attribute ${name} has no ONNX form`);
}
function valueInfo(name, { dtype, shape }) {
	const dim = shape.map((d) => d >= 0 ? { value: {
		case: "dimValue",
		value: BigInt(d)
	} } : { value: {
		case: "dimParam",
		value: d === -1 ? "N" : `${-d}N`
	} });
	return create(ValueInfoProtoSchema, {
		name,
		type: { value: {
			case: "tensorType",
			value: {
				elemType: DATA_TYPES[dtype],
				shape: { dim }
			}
		} }
	});
}
//#endregion
//#region src/graph/onnx-tensor.ts
const DTYPES = new Map(Object.entries(DATA_TYPES).map(([dtype, code]) => [code, dtype]));
const broken = (what, where) => new TesseraeError("weights", what, { where });
/** The element type of an ONNX code. Throws TesseraeError("weights") for strings, complex numbers and 4- and 8-bit floats. */
function dtypeOf(code, where) {
	const dtype = DTYPES.get(code);
	if (!dtype) throw broken(`element type ${code} is not supported`, where);
	return dtype;
}
/**
* A tensor's values: raw bytes, typed fields, or a stretch of an external file. The memory taken is that of the bytes
* given, whatever its shape says. Throws TesseraeError("weights").
*/
function tensorOf(t, files = /* @__PURE__ */ new Map()) {
	const dtype = dtypeOf(t.dataType, t.name);
	const shape = t.dims.map(Number);
	const count = sizeOf(shape);
	if (shape.some((d) => d < 0) || !Number.isSafeInteger(count)) throw broken(`the shape [${shape}] is impossible`, t.name);
	const external = t.dataLocation === 1;
	const typed = [
		t.floatData,
		t.doubleData,
		t.int32Data,
		t.int64Data,
		t.uint64Data
	].find((list) => list.length > 0);
	if (typed && !external) {
		if (typed.length !== count) throw broken(`${typed.length} values for the shape [${shape}]`, t.name);
		const data = allocate(dtype, count);
		for (let i = 0; i < count; i++) data[i] = typeof data[i] === "bigint" ? BigInt(typed[i]) : Number(typed[i]);
		return {
			dtype,
			shape,
			data
		};
	}
	const bytes = external ? externalBytes(t, files) : t.rawData;
	if (bytes.length !== count * byteSize(dtype)) throw broken(`${bytes.length} bytes for the shape [${shape}]`, t.name);
	const data = allocate(dtype, count);
	bytesOf$1(data).set(bytes);
	return {
		dtype,
		shape,
		data
	};
}
const bytesOf$1 = (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
/**
* The file name of a tensor's external data: plain, relative, below the model. Throws TesseraeError("weights") for
* absolute paths, "..", drive letters and anything a file system could read otherwise.
*/
function externalLocation(t) {
	const location = t.externalData.find((e) => e.key === "location")?.value ?? "";
	if (location.split("/").some((p) => p === "" || p === "." || p === "..") || /[\\:\u0000-\u001f]/.test(location)) throw broken(`its external data are in ${JSON.stringify(location)}, which is no file beside the model`, t.name);
	return location;
}
function externalBytes(t, files) {
	const location = externalLocation(t);
	const file = files.get(location);
	if (!file) throw broken("its values are in an external file that was not given", t.name);
	const entry = (key, otherwise) => {
		const text = t.externalData.find((e) => e.key === key)?.value;
		if (text === void 0) return otherwise;
		return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
	};
	const offset = entry("offset", 0);
	const length = entry("length", file.length - offset);
	if (!(offset >= 0 && length >= 0 && offset + length <= file.length)) throw broken("its external values lie beyond the file", t.name);
	return file.subarray(offset, offset + length);
}
//#endregion
//#region src/graph/passes/blocked-convolutions.ts
/**
* Convolutions, and gradients of depthwise ones, in the runtime's own layout of B channels side by side, where their
* operators know that it is faster. Only for a runtime that has the layout, and never in a file.
*/
const blockedConvolutions = (program, block) => rewrite(program, (node, inputs) => {
	if (node.op === "Constant" || node.outputs[0].dtype !== "float32") return void 0;
	const blocked = opDef(node.op).blocked?.(inputs, node.attrs, block);
	return blocked && [blocked];
});
//#endregion
//#region src/graph/passes/common-subexpressions.ts
/** Merges operators of the same kind, inputs and attributes, and small constants of the same value. */
function commonSubexpressions(program) {
	const seen = /* @__PURE__ */ new Map();
	return rewrite(program, (node, inputs) => {
		const key = keyOf(node.op, inputs, node.attrs, node.outputs[0]);
		if (key === void 0) return void 0;
		const known = seen.get(key);
		if (known) return known;
		const kept = inputs.every((t, i) => t === node.inputs[i]) ? node.outputs : applyAll(node.op, inputs, node.attrs);
		seen.set(key, kept);
		return kept;
	});
}
function keyOf(op, inputs, attrs, first) {
	const parts = [
		op,
		first.dtype,
		...inputs.map((t) => t ? `${t.node.id}.${t.index}` : "-")
	];
	for (const [name, value] of Object.entries(attrs)) if (value !== null && typeof value === "object" && "data" in value) {
		if (value.data.length > 64) return void 0;
		parts.push(`${name}=[${value.shape}]${Array.from(value.data, (v) => Object.is(v, -0) ? "-0" : v).join()}`);
	} else parts.push(`${name}=${value}`);
	return parts.join("|");
}
//#endregion
//#region src/graph/passes/slice-rules.ts
const viewOf = (shape, axis) => ({
	before: sizeOf(shape.slice(0, axis)),
	size: shape[axis],
	after: sizeOf(shape.slice(axis + 1))
});
/** The axis of a shape that is the range's middle, if one is. */
const axisOf = (shape, { before, size }) => {
	const axis = shape.findIndex((d, i) => d === size && sizeOf(shape.slice(0, i)) === before);
	return axis < 0 ? void 0 : axis;
};
const onAxis = (shape, axis, { start, end }) => ({
	...viewOf(shape, axis),
	start,
	end
});
/** Every output element depends on the inputs' elements of the same place. */
const elementwise$1 = ({ inputs, outputs: [y] }, demand) => {
	const axis = axisOf(y.shape, demand);
	const demands = inputs.map((t) => {
		if (!t || sameShape(t.shape, y.shape)) return demand;
		if (axis === void 0) return void 0;
		const own = axis - (y.rank - t.rank);
		return own < 0 || t.shape[own] === 1 ? "full" : onAxis(t.shape, own, demand);
	});
	return demands.every((d) => d !== void 0) ? demands : void 0;
};
/** The normalised or reduced axes must lie inside the range's rows. */
const rowwise = (axis) => ({ inputs, outputs: [y] }, demand) => Number.isInteger(demand.after / sizeOf(y.shape.slice(axis))) ? inputs.map((_, i) => i === 0 ? demand : "full") : void 0;
const reshape$1 = (_node, demand) => [demand];
const transpose$1 = ({ inputs, outputs: [y], attrs }, demand) => {
	const axis = axisOf(y.shape, demand);
	return axis === void 0 ? void 0 : [onAxis(inputs[0].shape, attrs.perm[axis], demand)];
};
/** Rows of the product are rows of the first factor. */
const matmul$1 = ({ inputs, outputs: [y] }, demand) => {
	const a = inputs[0];
	return axisOf(y.shape, demand) === y.rank - 2 ? [onAxis(a.shape, a.rank - 2, demand), "full"] : void 0;
};
const gemm$1 = ({ inputs, outputs: [y], attrs }, { before, size, after, start, end }) => {
	const [a, , c] = inputs;
	const rows = after / y.shape[1];
	if (attrs.transA || !Number.isInteger(rows) || c && c.rank > 1 && c.shape[0] !== 1) return void 0;
	return [
		{
			before,
			size,
			after: rows * a.shape[1],
			start,
			end
		},
		"full",
		"full"
	];
};
/** Operators that can compute a part of their output from a part of their inputs. */
const sliceRules = {
	...Object.fromEntries([
		"Add",
		"Sub",
		"Mul",
		"Div",
		"Gelu",
		"Erf",
		"Exp",
		"Relu",
		"Sigmoid",
		"Tanh",
		"HardSwish",
		"Neg",
		"Sqrt",
		"Cast"
	].map((op) => [op, elementwise$1])),
	LayerNormalization: (node, demand) => rowwise(node.attrs.axis)(node, demand),
	Softmax: (node, demand) => rowwise(node.attrs.axis)(node, demand),
	Reshape: reshape$1,
	Transpose: transpose$1,
	MatMul: matmul$1,
	Gemm: gemm$1
};
//#endregion
//#region src/graph/passes/drop-dead-tokens.ts
/**
* Computes only what is read. Where every reader of a tensor takes the same slice of it, such as the class token after
* the last block, the slice moves up: the last block's queries, projection and MLP run on one token instead of all.
* Meant for the forward graph, before gradients are taken.
*/
function dropDeadTokens(program) {
	const nodes = nodesOf(program.outputs.values());
	const demands = demandsOf(program, nodes);
	const image = /* @__PURE__ */ new Map();
	const imageOf = (t) => image.get(t) ?? t;
	/** The part of a tensor that a reader asks for, cut out of what was computed of it. */
	const take = (t, wanted) => {
		const have = demands.get(t) ?? "full";
		const value = imageOf(t);
		if (wanted === "full" || sameDemand(have, wanted)) return value;
		const start = have === "full" ? 0 : have.start;
		const size = have === "full" ? wanted.size : have.end - have.start;
		return value.reshape([
			wanted.before,
			size,
			wanted.after
		]).slice(1, wanted.start - start, wanted.end - start).reshape(narrow$2(t.shape, wanted));
	};
	for (const node of nodes) {
		if (node.op === "Input" || node.op === "Constant" || !node.outputs.some((t) => demands.has(t))) continue;
		withScope(node.scope, () => {
			const plan = planOf(node, demands);
			const outputs = plan ? [apply(node.op, inputsFor(node, plan.inputs, take), plan.attrs)] : whole$1(node, take);
			node.outputs.forEach((t, i) => void image.set(t, outputs[i]));
		});
	}
	return programOf(program, imageOf);
}
const inputsFor = (node, wanted, take) => node.inputs.map((t, i) => t && take(t, wanted[i]));
/** A node computed whole, or a Slice taken out of what there is. */
function whole$1(node, take) {
	const range = sliced$1(node);
	if (range) return [take(node.inputs[0], range).reshape(node.outputs[0].shape)];
	const inputs = node.inputs.map((t) => t && take(t, "full"));
	return inputs.every((t, i) => t === node.inputs[i]) ? node.outputs : applyAll(node.op, inputs, node.attrs);
}
/** How to compute only the demanded part of a node, if its operator allows that. */
function planOf(node, demands) {
	const demand = demands.get(node.outputs[0]);
	if (!demand || demand === "full" || node.outputs.slice(1).some((t) => demands.has(t))) return void 0;
	const rule = sliceRules[node.op];
	const inputs = rule?.(node, demand);
	if (!inputs) return void 0;
	return {
		inputs,
		attrs: node.op === "Reshape" ? { shape: narrow$2(node.outputs[0].shape, demand) } : node.attrs
	};
}
/** What is read of each tensor, walking from the outputs back. */
function demandsOf(program, nodes) {
	const demands = /* @__PURE__ */ new Map();
	const ask = (t, d) => {
		if (t) demands.set(t, join$2(demands.get(t), d));
	};
	for (const t of program.outputs.values()) ask(t, "full");
	for (const node of [...nodes].reverse()) {
		if (!node.outputs.some((t) => demands.has(t))) continue;
		const range = sliced$1(node);
		const plan = range ? void 0 : planOf(node, demands);
		if (!plan && !range) {
			for (const t of node.outputs) if (demands.has(t)) demands.set(t, "full");
		}
		node.inputs.forEach((t, i) => {
			ask(t, range ?? plan?.inputs[i] ?? "full");
		});
		if (range) demands.set(node.outputs[0], "full");
	}
	return demands;
}
/** The range that a Slice along one axis takes, if it leaves out at least half. */
function sliced$1({ op, inputs, attrs }) {
	if (op !== "Slice") return void 0;
	const { axes, starts, ends, steps } = attrs;
	const x = inputs[0];
	if (axes.length !== 1 || steps[0] !== 1 || starts[0] < 0 || ends[0] < 0) return void 0;
	const view = viewOf(x.shape, axes[0]);
	const end = Math.min(ends[0], view.size);
	return view.size > 0 && 2 * (end - starts[0]) <= view.size ? {
		...view,
		start: starts[0],
		end
	} : void 0;
}
const sameView = (a, b) => a.before === b.before && a.size === b.size && a.after === b.after;
const sameDemand = (a, b) => a === b || a !== "full" && b !== "full" && sameView(a, b) && a.start === b.start && a.end === b.end;
/** The least that covers both. */
function join$2(a, b) {
	if (!a || a === "full" || b === "full") return a ? "full" : b;
	if (!sameView(a, b)) return "full";
	const [start, end] = [Math.min(a.start, b.start), Math.max(a.end, b.end)];
	return 2 * (end - start) <= a.size ? {
		...a,
		start,
		end
	} : "full";
}
/** The shape with the range in place of the whole: [N, L, D] or [N·L, D] to [N, l, D] or [N·l, D]. */
function narrow$2(shape, { before, size, start, end }) {
	let product = 1;
	for (const [i, d] of shape.entries()) {
		const outer = before / product;
		if (Number.isInteger(outer) && Number.isInteger(d / (outer * size))) return shape.map((v, j) => j === i ? v / size * (end - start) : v);
		product *= d;
	}
	throw new TesseraeError("internal", `no axis of ${showShape(shape)} holds the range`);
}
//#endregion
//#region src/graph/passes/sink-scales.ts
/** Operators f with f(s·x) = s·f(x) in their only tensor input. */
const LINEAR = new Set([
	"Reshape",
	"Transpose",
	"Slice",
	"Expand",
	"ReduceSum",
	"ReduceMean",
	"Split",
	"Neg"
]);
/**
* Carries factors that are scalar constants (1/2 of GELU, 1/√2, means) down the graph, joins them, and ends them in
* the alpha of a Gemm, instead of spending a pass over an activation on each. A factor moves only where every reader
* can take it.
*/
function sinkScales(program) {
	const nodes = nodesOf(program.outputs.values());
	const absorbed = absorbedTensors(program, nodes);
	const lazy = /* @__PURE__ */ new Map();
	const full = /* @__PURE__ */ new Map();
	const scaledOf = (t) => lazy.get(t) ?? {
		base: t,
		scale: 1
	};
	const materialize = (t) => {
		const known = full.get(t);
		if (known) return known;
		const { base, scale } = scaledOf(t);
		const value = scale === 1 ? base : withScope(t.node.scope, () => base.mul(scale));
		full.set(t, value);
		return value;
	};
	for (const node of nodes) {
		if (node.op === "Input" || node.op === "Constant") continue;
		withScope(node.scope, () => {
			const results = sink(node, scaledOf, materialize) ?? rebuilt(node, materialize);
			node.outputs.forEach((t, i) => {
				lazy.set(t, results[i]);
				if (!absorbed.has(t)) lazy.set(t, {
					base: materialize(t),
					scale: 1
				});
			});
		});
	}
	return programOf(program, materialize);
}
/** Tensors all of whose readers can take a factor along: into an alpha, or further down. */
function absorbedTensors(program, nodes) {
	const read = /* @__PURE__ */ new Set();
	const refused = new Set(program.outputs.values());
	const passesOn = (node, i) => {
		if (node.op === "Gemm") return i < 2;
		if (node.op === "ReduceSum") return true;
		if (LINEAR.has(node.op)) return node.outputs.every((t) => read.has(t) && !refused.has(t));
		if (node.op === "Div") return i === 0 && scalar(node.inputs[1]) !== void 0;
		if (node.op !== "Mul") return false;
		return scalar(node.inputs[1 - i]) !== void 0 || read.has(node.outputs[0]) && !refused.has(node.outputs[0]);
	};
	for (const node of [...nodes].reverse()) node.inputs.forEach((t, i) => {
		if (!t) return;
		read.add(t);
		if (!passesOn(node, i)) refused.add(t);
	});
	return new Set([...read].filter((t) => !refused.has(t)));
}
const rebuilt = (node, value) => {
	const inputs = node.inputs.map((t) => t && value(t));
	return (inputs.every((t, i) => t === node.inputs[i]) ? node.outputs : applyAll(node.op, inputs, node.attrs)).map((base) => ({
		base,
		scale: 1
	}));
};
/** The node's outputs with the scales of its inputs kept apart; undefined where it cannot keep them. */
function sink(node, scaledOf, materialize) {
	const [x, y, c] = node.inputs;
	if (!x || !isFloat(x.dtype)) return void 0;
	if (LINEAR.has(node.op)) {
		const { base, scale } = scaledOf(x);
		if (node.op === "Neg") return [{
			base,
			scale: -scale
		}];
		return (base === x ? node.outputs : applyAll(node.op, [base], node.attrs)).map((t) => ({
			base: t,
			scale
		}));
	}
	if (node.op === "Mul") return product$1(node, scaledOf(x), scaledOf(y), x, y);
	const divisor = node.op === "Div" ? scalar(y) : void 0;
	if (divisor !== void 0 && keepsShape(node, x)) {
		const { base, scale } = scaledOf(x);
		return [{
			base,
			scale: scale / divisor
		}];
	}
	if (node.op === "Gemm") {
		const [a, b] = [scaledOf(x), scaledOf(y)];
		if (a.scale * b.scale === 1) return void 0;
		const alpha = (node.attrs.alpha ?? 1) * a.scale * b.scale;
		return applyAll("Gemm", c ? [
			a.base,
			b.base,
			materialize(c)
		] : [a.base, b.base], {
			...node.attrs,
			alpha
		}).map((base) => ({
			base,
			scale: 1
		}));
	}
}
/** x · y, where a scalar constant becomes part of the scale. */
function product$1(node, a, b, x, y) {
	const [sx, sy] = [scalar(x), scalar(y)];
	if (sy !== void 0 && keepsShape(node, x)) return [{
		base: a.base,
		scale: a.scale * sy
	}];
	if (sx !== void 0 && keepsShape(node, y)) return [{
		base: b.base,
		scale: b.scale * sx
	}];
	return [{
		base: a.base === x && b.base === y ? node.outputs[0] : a.base.mul(b.base),
		scale: a.scale * b.scale
	}];
}
const keepsShape = (node, x) => `${node.outputs[0].shape}` === `${x.shape}`;
/** Value of a constant of one element, if it is a number to multiply by. */
function scalar({ node, shape }) {
	if (node.op !== "Constant" || shape.some((d) => d !== 1)) return void 0;
	const [value] = constantValue(node).data;
	return Number.isFinite(value) && value !== 0 ? value : void 0;
}
//#endregion
//#region src/graph/passes/softmax-delta.ts
/**
* The row sums of softmax's gradient in attention. With O = P · V and dP = dO · Vᵀ,
* Σ_j dP_ij P_ij = Σ_d dO_id O_id: sums over the head's width instead of over all keys (FlashAttention, eq. 4).
*/
function softmaxDelta(program) {
	const readers = /* @__PURE__ */ new Map();
	for (const node of nodesOf(program.outputs.values())) if (node.op === "MatMul") readers.set(node.inputs[0], [...readers.get(node.inputs[0]) ?? [], node]);
	return rewrite(program, (node, inputs) => {
		const match = node.op === "ReduceSum" && deltaOf(node, readers);
		if (!match) return void 0;
		const gradient = inputs[0].node.inputs[match.side].node.inputs[0];
		return [gradient.mul(match.output).sum([gradient.rank - 1], true)];
	});
}
/** O, and the side of dP in the product, where the node is Σ dP ⊙ P over the last axis. */
function deltaOf(node, readers) {
	const x = node.inputs[0];
	if (!(`${node.attrs.axes}` === `${x.rank - 1}` && node.attrs.keepdims === 1) || x.node.op !== "Mul") return void 0;
	for (const side of [0, 1]) {
		const dP = x.node.inputs[side].node;
		const P = x.node.inputs[1 - side];
		if (dP.op !== "MatMul" || P.node.op !== "Softmax") continue;
		const transposed = dP.inputs[1].node;
		if (transposed.op !== "Transpose") continue;
		const V = transposed.inputs[0];
		const output = readers.get(P)?.find((n) => n.inputs[1] === V)?.outputs[0];
		const keys = P.shape[P.rank - 1];
		if (output && V.shape[V.rank - 1] < keys) return {
			output,
			side
		};
	}
}
//#endregion
//#region src/graph/passes/sums-as-products.ts
/**
* Sums over all leading axes (gradients of biases and of norms' scales) as a product with a row of ones: the
* matrix library reads the activation once, with all threads.
*/
const sumsAsProducts = (program) => rewrite(program, (node, inputs) => {
	if (node.op !== "ReduceSum" || node.outputs[0].dtype !== "float32") return void 0;
	const x = inputs[0];
	const axes = node.attrs.axes;
	const leading = axes.length < x.rank && axes.every((a, i) => a === i);
	const rows = sizeOf(x.shape.slice(0, axes.length));
	const columns = sizeOf(x.shape.slice(axes.length));
	if (!leading || rows < 64 || columns < 16) return void 0;
	return [fill(1, [1, rows]).gemm(x.reshape([rows, columns])).reshape(node.outputs[0].shape)];
});
//#endregion
//#region src/graph/passes/index.ts
/** Run on the forward graph, before gradients are taken of what they leave. */
const FORWARD_PASSES = { "drop-dead-tokens": dropDeadTokens };
/** Run on the whole program, in this order. */
const PASSES = {
	"blocked-convolutions": (program, { block } = {}) => block ? blockedConvolutions(program, block) : program,
	"softmax-delta": softmaxDelta,
	decompose,
	"common-subexpressions": commonSubexpressions,
	"sink-scales": sinkScales,
	"sums-as-products": sumsAsProducts
};
const run = (passes, program, { without = [] }, target = {}) => Object.entries(passes).reduce((p, [name, pass]) => without.includes(name) ? p : pass(p, target), program);
/** Rewrites a forward graph so that it computes only what is read. */
const narrow$1 = (program, options = {}) => run(FORWARD_PASSES, program, options);
/** Rewrites a training program for speed, on the runtime that will run it. */
const optimize = (program, { without, ...target } = {}) => run(PASSES, program, { without }, target);
//#endregion
//#region src/onnx/batch.ts
/**
* The free batch N as a value. Exporters compute shapes with operators (Shape, Gather, Concat, Div...); those are folded in
* plain numbers, with this prime in N's place: a value is k·N exactly where the prime divides it. In a Shape the same
* size is -k (see graph/types.ts).
*/
const BATCH = 15485863;
/**
* The number n of an image within its batch, as a value: Range(0, N) is one such row, which stands for all. Only a
* gather that addresses the memory of a batch by n·k + i reads it.
*/
const ROW = 32452843;
const isBatch = (value) => value !== 0 && value % 15485863 === 0;
/** A size of a Shape as a value that shape computations can work with. */
const toValue = (size) => size < 0 ? -size * BATCH : size;
/** Was the value computed from N or n, so that it is no number to calculate with? */
const isSymbolic = (value) => isBatch(value) || Number.isInteger(value) && Math.abs(value) >= 32452843;
/** A computed value as a size of a Shape. */
const toSize = (value) => isBatch(value) ? -(value / BATCH) : value;
/**
* The shape that Reshape makes of `from`, from its computed target: 0 copies a size (unless allowZero), -1 takes what is
* left. `hard` is the batch that the file was written for, where it is written out as a number instead of N.
*/
function reshaped(from, target, { hard, allowZero = false }) {
	const wrong = () => new TesseraeError("shape", `cannot reshape ${showShape(from)} to ${showShape(target.map(toSize))}`);
	const values = target.map((d, i) => d === 0 && !allowZero ? toValue(from[i] ?? 0) : d);
	const symbolic = values.some(isBatch);
	const written = hard !== void 0 && !symbolic && from.some((d) => d < 0) && !copiesBatch(from, target, allowZero);
	const total = sizeOf(from.map((d) => written && d < 0 ? -d * hard : toValue(d)));
	const known = sizeOf(values.filter((d) => d !== -1));
	const whole = values.map((d) => d === -1 ? total / known : d);
	if (sizeOf(whole) !== total || whole.some((d) => !Number.isInteger(d))) throw wrong();
	const shape = written ? freed(from, whole, hard) : whole.map(toSize);
	if (!shape || shape.filter((d) => d < 0).length > 1) throw wrong();
	return shape;
}
const copiesBatch = (from, target, allowZero) => !allowZero && target.some((d, i) => d === 0 && from[i] < 0);
/**
* Where N goes in a shape that was written for a batch of b: to the axis that begins where N's axis begins in row-major
* order, which is the first one whose outer sizes have the same product.
*/
function freed(from, to, b) {
	const outer = sizeOf(from.slice(0, from.findIndex((d) => d < 0)));
	let product = 1;
	for (const [axis, d] of to.entries()) {
		if (product === outer && d % b === 0) return to.map((v, i) => i === axis ? -v / b : v);
		product *= d;
	}
}
//#endregion
//#region src/onnx/call.ts
/** Why one node cannot be imported; the reader collects them all. */
var Refusal = class extends Error {};
/** One node of a file on its way into the graph: operands, attributes and what the file says around it. */
var Call = class {
	op;
	opset;
	x;
	/** How many outputs the file names. */
	outputs;
	/** The batch that the file was written for, where it is a number. */
	hard;
	#attributes;
	constructor(node, x) {
		this.op = node.op;
		this.opset = node.opset;
		this.outputs = node.outputs;
		this.hard = node.hard;
		this.x = x;
		this.#attributes = new Map(node.attributes.map((a) => [a.name, a]));
	}
	/** Operand i. Throws where the file leaves it out. */
	in(i) {
		const t = this.x[i];
		if (!t) throw new TesseraeError("weights", `${this.op} lacks its input ${i + 1}`);
		return t;
	}
	has(name) {
		return this.#attributes.has(name);
	}
	int(name, otherwise) {
		const a = this.#of(name, 2);
		return a ? Number(a.i) : otherwise;
	}
	float(name, otherwise) {
		const a = this.#of(name, 1);
		return a ? a.f : otherwise;
	}
	string(name, otherwise) {
		const a = this.#of(name, 3);
		return a ? new TextDecoder().decode(a.s) : otherwise;
	}
	ints(name) {
		return this.#of(name, 7)?.ints.map(Number);
	}
	floats(name) {
		const a = this.#of(name, 6);
		return a && [...a.floats];
	}
	tensor(name) {
		return this.#of(name, 4)?.t;
	}
	#of(name, type) {
		const a = this.#attributes.get(name);
		if (a && a.type !== type && a.type !== 0) throw new TesseraeError("weights", `attribute ${name} of ${this.op} is of another type`);
		return a;
	}
	/** Values of operand i, which must be known before the model runs; undefined where the file leaves it out. */
	array(i) {
		const t = this.x[i];
		return t && valuesOf(t, this.op);
	}
	values(i) {
		const array = this.array(i);
		return array && [...array.data];
	}
	/** A setting that newer opsets take as operand i and older ones as an attribute. */
	list(i, attribute) {
		return this.values(i) ?? this.ints(attribute);
	}
	scalar(i) {
		return this.values(i)?.[0];
	}
};
/** The value of a tensor that depends on no image. */
function valuesOf(t, op) {
	if (t.node.op !== "Constant") throw new Refusal(`${op} of a size or an index that depends on the image`);
	return constantValue(t.node);
}
const isConstant = (t) => t?.node.op === "Constant";
/** The value of a constant of one element, whatever its rank. */
function scalarOf(t) {
	if (t?.node.op !== "Constant" || t.size !== 1) return void 0;
	const [v] = constantValue(t.node).data;
	return isSymbolic(v) ? void 0 : v;
}
/** Refuses an operator along an axis that holds the batch. */
function withinSamples(shape, axes, op) {
	if (axes.some((a) => shape[a] < 0)) throw new Refusal(`${op} across the images of a batch, ${showShape(shape)} along [${axes}]`);
}
//#endregion
//#region src/onnx/limits.ts
/** What a file may hold: far above any model, far below what would fill the memory. */
const LIMITS = {
	/** Messages of any kind (nodes, attributes, tensors, names of axes). */
	messages: 1e6,
	/** Graphs within graphs. */
	depth: 32,
	/** Nodes read, those of functions once a call. */
	nodes: 5e5,
	functions: 1e3,
	/** Values of one folded constant, and of all of them. */
	constant: 2 ** 22,
	constants: 2 ** 26
};
/** Fields that hold messages, by message: field number -> message. Wire format of onnx.proto. */
const MESSAGES = {
	model: {
		7: "graph",
		8: "leaf",
		14: "leaf",
		20: "training",
		25: "function",
		26: "leaf"
	},
	training: {
		1: "graph",
		2: "graph",
		3: "leaf",
		4: "leaf"
	},
	graph: {
		1: "node",
		5: "tensor",
		11: "info",
		12: "info",
		13: "info",
		14: "annotation",
		15: "sparse",
		16: "leaf"
	},
	function: {
		4: "string",
		5: "string",
		6: "string",
		7: "node",
		9: "leaf",
		11: "attribute",
		12: "info",
		14: "leaf"
	},
	node: {
		1: "string",
		2: "string",
		5: "attribute",
		9: "leaf",
		10: "leaf"
	},
	attribute: {
		5: "tensor",
		6: "graph",
		9: "string",
		10: "tensor",
		11: "graph",
		14: "type",
		15: "type",
		22: "sparse",
		23: "sparse"
	},
	tensor: {
		3: "leaf",
		6: "string",
		13: "leaf",
		16: "leaf"
	},
	sparse: {
		1: "tensor",
		2: "tensor"
	},
	annotation: { 2: "leaf" },
	info: {
		2: "type",
		4: "leaf"
	},
	type: {
		1: "tensorType",
		4: "sequence",
		5: "map",
		8: "tensorType",
		9: "sequence",
		7: "leaf"
	},
	sequence: { 1: "type" },
	map: { 2: "type" },
	tensorType: { 2: "shape" },
	shape: { 1: "leaf" },
	leaf: {},
	string: {}
};
const NESTED = new Set(Object.keys(MESSAGES).filter((m) => Object.keys(MESSAGES[m]).length > 0));
/**
* Counts the messages of an encoded model without decoding it, so that a small file cannot ask for gigabytes of objects.
* Throws TesseraeError("weights") for a broken encoding or one beyond the limits.
*/
function checkLimits(bytes) {
	let messages = 0;
	const broken = () => new TesseraeError("weights", "the bytes are not an ONNX model");
	const walk = (start, end, message, depth) => {
		if (depth > 4 * LIMITS.depth) throw new TesseraeError("weights", `graphs lie deeper than ${LIMITS.depth} levels`);
		const kinds = MESSAGES[message];
		let at = start;
		const varint = () => {
			let value = 0;
			for (let shift = 1;; shift *= 128) {
				if (at >= end || shift > 2 ** 63) throw broken();
				const byte = bytes[at++];
				value += (byte & 127) * shift;
				if (byte < 128) return value;
			}
		};
		while (at < end) {
			const tag = varint();
			const [field, wire] = [Math.floor(tag / 8), tag % 8];
			if (wire === 0) varint();
			else if (wire === 1) at += 8;
			else if (wire === 5) at += 4;
			else if (wire === 2) {
				const length = varint();
				if (length > end - at) throw broken();
				const kind = kinds[field];
				if (kind !== void 0 && ++messages > LIMITS.messages) throw new TesseraeError("weights", `holds more than ${LIMITS.messages} parts: no model does`);
				if (kind !== void 0 && length > 0 && NESTED.has(kind)) walk(at, at + length, kind, depth + 1);
				at += length;
			} else throw broken();
			if (at > end) throw broken();
		}
	};
	walk(0, bytes.length, "model", 0);
}
//#endregion
//#region src/onnx/adapters/elementwise.ts
/** Our operators of the same name, applied to the operands alone. */
const SAME = [
	...[
		"Neg",
		"Abs",
		"Sign",
		"Floor",
		"Ceil",
		"Round",
		"Exp",
		"Log",
		"Sqrt",
		"Reciprocal",
		"Sin",
		"Cos",
		"Tanh",
		"Erf"
	],
	...[
		"Sigmoid",
		"Softplus",
		"Relu",
		"HardSwish",
		"Not",
		"IsNaN",
		"PRelu"
	],
	...[
		"Add",
		"Sub",
		"Mul",
		"Div",
		"Equal",
		"Greater",
		"GreaterOrEqual",
		"Less",
		"LessOrEqual",
		"And",
		"Or"
	]
];
const same = ({ op, x }) => apply(op, x);
/** Folds any number of operands by a binary operator. */
const chain$1 = (op) => (c) => c.x.slice(1).reduce((a, b) => apply(op, [a, b]), c.in(0));
/** max(low, min(high, x)); an absent bound is none. */
function clip(c) {
	const x = c.in(0);
	const bound = (i, name) => c.opset < 11 ? c.has(name) ? constant(c.float(name, 0), [], x.dtype) : void 0 : c.x[i];
	const [low, high] = [bound(1, "min"), bound(2, "max")];
	const floored = low ? x.max(low) : x;
	return high ? floored.min(high) : floored;
}
/** Powers that exporters write for squares and roots; any other exponent stays. */
function pow(c) {
	const [x, exponent] = [c.in(0), c.in(1)];
	const e = scalarOf(exponent);
	if (e === 1) return x;
	if (e === 2) return x.mul(x);
	if (e === 3) return x.mul(x).mul(x);
	if (e === .5) return x.sqrt();
	if (e === -.5) return x.sqrt().reciprocal();
	return apply("Pow", [x, exponent.dtype === x.dtype ? exponent : recast(exponent, x.dtype)]);
}
/** Every float is a float32 here: weights of half precision train in single. */
const workingType = (dtype) => isFloat(dtype) ? "float32" : dtype;
const recast = (x, dtype) => x.cast(workingType(dtype));
function cast(c) {
	return recast(c.in(0), workingType(dtypeOf(c.int("to", 0), "Cast")));
}
/** alpha·(exp(x / alpha·beta) - 1) below zero, x above. */
const exponential = (x, alpha, inner = 1) => x.greater(0).where(x, x.min(0).mul(inner).exp().sub(1).mul(alpha));
function gelu$1(c) {
	const x = c.in(0);
	return c.string("approximate", "none") === "tanh" ? x.geluTanh() : x.gelu();
}
function where(c) {
	const [p, a, b] = [
		c.in(0),
		c.in(1),
		c.in(2)
	];
	return apply("Where", [
		p,
		a,
		b.dtype === a.dtype ? b : recast(b, a.dtype)
	]);
}
function mod(c) {
	const [a, b] = [c.in(0), c.in(1)];
	return isFloat(a.dtype) ? a.sub(a.div(b).floor().mul(b)) : apply("Mod", [a, b]);
}
const elementwise = {
	...Object.fromEntries(SAME.map((op) => [op, same])),
	Max: chain$1("Max"),
	Min: chain$1("Min"),
	Sum: chain$1("Add"),
	Mean: (c) => chain$1("Add")(c).mul(1 / c.x.length),
	Xor: (c) => apply("Not", [apply("Equal", [c.in(0), c.in(1)])]),
	Mod: mod,
	Pow: pow,
	Clip: clip,
	Cast: cast,
	CastLike: (c) => recast(c.in(0), c.in(1).dtype),
	Where: where,
	Gelu: gelu$1,
	HardSigmoid: (c) => c.in(0).hardSigmoid(c.float("alpha", .2), c.float("beta", .5)),
	LeakyRelu: (c) => apply("LeakyRelu", [c.in(0)], { alpha: c.float("alpha", .01) }),
	Elu: (c) => apply("Elu", [c.in(0)], { alpha: c.float("alpha", 1) }),
	Celu: (c) => exponential(c.in(0), c.float("alpha", 1), 1 / c.float("alpha", 1)),
	Selu: (c) => exponential(c.in(0), c.float("alpha", 1.6732631921768188)).mul(c.float("gamma", 1.0507010221481323)),
	ThresholdedRelu: (c) => c.in(0).greater(c.float("alpha", 1)).where(c.in(0), 0),
	Softsign: (c) => c.in(0).div(c.in(0).abs().add(1)),
	/** x · tanh(softplus(x)) (Misra 2019). */
	Mish: (c) => c.in(0).mul(c.in(0).softplus().tanh()),
	/** x · sigmoid(alpha · x). */
	Swish: (c) => c.in(0).mul(scaled$3(c.in(0), c.float("alpha", 1)).sigmoid()),
	Shrink: (c) => {
		const [x, bias, lambd] = [
			c.in(0),
			c.float("bias", 0),
			c.float("lambd", .5)
		];
		return x.less(-lambd).where(x.add(bias), x.greater(lambd).where(x.sub(bias), 0));
	}
};
const scaled$3 = (x, s) => s === 1 ? x : x.mul(s);
/** Operators of onnxruntime's own domain that its optimizer writes in the place of standard ones. */
const contributed = {
	Gelu: (c) => c.in(0).gelu(),
	QuickGelu: (c) => c.in(0).mul(scaled$3(c.in(0), c.float("alpha", 1.702)).sigmoid()),
	BiasGelu: (c) => c.in(0).add(c.in(1)).gelu(),
	FastGelu: (c) => (c.x[1] ? c.in(0).add(c.in(1)) : c.in(0)).geluTanh()
};
//#endregion
//#region src/onnx/adapters/constants.ts
const ofArray = ({ shape, data }, dtype) => constant(data, shape, dtype);
function checkCount(count, op) {
	if (!(count >= 0 && count <= LIMITS.constant)) throw new Refusal(`${op} of ${count} values`);
}
/** A tensor of one value; a free batch makes it an expansion. */
function constantOfShape(c) {
	const shape = (c.values(0) ?? []).map(toSize);
	const proto = c.tensor("value");
	const value = proto ? tensorOf(proto) : void 0;
	const dtype = workingType(value?.dtype ?? "float32");
	const v = value ? toDoubles(value.data)[0] : 0;
	if (shape.some((d) => d < 0)) return constant(v, [], dtype).expand(shape);
	checkCount(sizeOf(shape), c.op);
	return constant(new Float64Array(sizeOf(shape)).fill(v), shape, dtype);
}
function range(c) {
	const [start, limit, delta] = [
		0,
		1,
		2
	].map((i) => c.scalar(i));
	const count = Math.max(Math.ceil((limit - start) / delta), 0);
	if (limit === 15485863 && start === 0 && delta === 1) return constant([ROW], [1], c.in(0).dtype);
	if (isBatch(limit) || isBatch(start)) throw new Refusal("Range over a part of the batch");
	checkCount(count, c.op);
	return constant(Array.from({ length: count }, (_, i) => start + i * delta), [count], c.in(0).dtype);
}
/** Indices of what is not zero, [rank, count], of a constant. */
function nonZero(c) {
	const x = c.array(0);
	const found = x.shape.map(() => []);
	let count = 0;
	forEachIndex(x.shape, (flat, index) => {
		if (x.data[flat] === 0) return;
		count++;
		index.forEach((v, i) => {
			found[i].push(v);
		});
	});
	return constant(found.flat(), [x.shape.length, count], "int64");
}
/** x with slices replaced, all constants. */
function scatterNd(c) {
	const [x, indices, updates] = [
		0,
		1,
		2
	].map((i) => c.array(i));
	if (c.string("reduction", "none") !== "none") throw new Refusal("ScatterND that adds");
	const depth = indices.shape[indices.shape.length - 1];
	const strides = stridesOf(x.shape);
	const width = sizeOf(x.shape.slice(depth));
	const out = x.data.slice();
	for (let k = 0; k < indices.data.length / depth; k++) {
		const place = Array.from(indices.data.subarray(k * depth, (k + 1) * depth), (v, i) => v < 0 ? v + x.shape[i] : v);
		if (place.some((v, i) => !(v >= 0 && v < x.shape[i]))) throw new TesseraeError("shape", "ScatterND beyond its tensor");
		out.set(updates.data.subarray(k * width, (k + 1) * width), dot(place, strides.slice(0, depth)));
	}
	return ofArray(nd(x.shape, out), c.in(0).dtype);
}
/** Sums of what came before along an axis, of a constant. */
function cumSum(c) {
	const x = c.array(0);
	if (c.int("exclusive", 0) || c.int("reverse", 0)) throw new Refusal("CumSum in reverse or without the entry itself");
	const axis = normalizeAxis(c.scalar(1) ?? 0, x.shape.length);
	const stride = stridesOf(x.shape)[axis];
	const out = x.data.slice();
	forEachIndex(x.shape, (flat, index) => {
		if (index[axis] > 0) out[flat] += out[flat - stride];
	});
	return ofArray(nd(x.shape, out), c.in(0).dtype);
}
/** What lies on one side of a diagonal; zeros elsewhere. */
function trilu(c) {
	const x = c.in(0);
	const [rows, columns] = x.shape.slice(-2);
	const [k, upper] = [c.scalar(1) ?? 0, c.int("upper", 1)];
	checkCount(rows * columns, c.op);
	return constant(Array.from({ length: rows * columns }, (_, i) => {
		const diagonal = i % columns - Math.floor(i / columns) - k;
		return Number(upper ? diagonal >= 0 : diagonal <= 0);
	}), [rows, columns], "bool").where(x, constant(0, [], x.dtype));
}
function literal(c) {
	if (c.tensor("value")) throw new TesseraeError("internal", "a Constant's tensor is read with the initializers");
	const ints = c.ints("value_ints");
	const floats = c.floats("value_floats");
	if (ints) return constant(ints, [ints.length], "int64");
	if (floats) return constant(floats, [floats.length]);
	if (c.has("value_int")) return constant(c.int("value_int", 0), [], "int64");
	if (c.has("value_float")) return constant(c.float("value_float", 0));
	throw new Refusal("Constant of text or of a sparse tensor");
}
/** Operators whose result must be known before the model runs. */
const constants = {
	Constant: literal,
	ConstantOfShape: constantOfShape,
	Range: range,
	NonZero: nonZero,
	ScatterND: scatterNd,
	CumSum: cumSum,
	Trilu: trilu
};
//#endregion
//#region src/onnx/adapters/einsum.ts
function parse(text) {
	const plain = text.replaceAll(" ", "");
	if (!/^[a-zA-Z]*(,[a-zA-Z]*)*(->[a-zA-Z]*)?$/.test(plain)) throw new Refusal(`Einsum ${JSON.stringify(text)}`);
	const [left, right] = plain.split("->");
	const operands = left.split(",");
	const letters = [...operands.join("")];
	const once = letters.filter((l) => letters.indexOf(l) === letters.lastIndexOf(l)).sort();
	return {
		operands,
		output: right ?? once.join("")
	};
}
/** An einsum of one or two operands as transpositions and one batched product. */
function einsum(text, x) {
	const { operands, output } = parse(text);
	if (operands.length !== x.length || operands.some((o, i) => o.length !== x[i].rank || new Set(o).size < o.length)) throw new Refusal(`Einsum ${JSON.stringify(text)}`);
	if (x.length === 1) return arrange(summed(x[0], operands[0], output), kept(operands[0], output), output);
	return product(text, {
		operands,
		output
	}, x);
}
const kept = (from, to) => [...from].filter((l) => to.includes(l)).join("");
/** Sums over the letters that `keep` lacks. */
const summed = (x, letters, keep) => {
	const axes = [...letters].flatMap((l, i) => keep.includes(l) ? [] : [i]);
	return axes.length ? x.sum(axes) : x;
};
const arrange = (x, from, to) => {
	if (from.length !== to.length) throw new TesseraeError("shape", `Einsum from "${from}" to "${to}"`);
	return x.transpose([...to].map((l) => from.indexOf(l)));
};
function product(text, { operands: [la, lb], output }, [a, b]) {
	const size = /* @__PURE__ */ new Map();
	for (const [letters, t] of [[la, a], [lb, b]]) for (const [i, l] of [...letters].entries()) {
		if ((size.get(l) ?? t.shape[i]) !== t.shape[i]) throw new TesseraeError("shape", `Einsum ${text}: sizes of ${l} differ`);
		size.set(l, t.shape[i]);
	}
	const pick = (letters, f) => [...letters].filter(f).join("");
	const shared = pick(output, (l) => la.includes(l) && lb.includes(l));
	const inner = pick(la, (l) => lb.includes(l) && !output.includes(l));
	const rows = pick(output, (l) => la.includes(l) && !lb.includes(l));
	const columns = pick(output, (l) => lb.includes(l) && !la.includes(l));
	const sizes = (letters) => [...letters].map((l) => size.get(l));
	const count = (letters) => sizeOf(sizes(letters));
	const keepA = shared + rows + inner;
	const keepB = shared + inner + columns;
	const left = arrange(summed(a, la, keepA), kept(la, keepA), keepA);
	const right = arrange(summed(b, lb, keepB), kept(lb, keepB), keepB);
	return arrange(left.reshape([
		...sizes(shared),
		count(rows),
		count(inner)
	]).matmul(right.reshape([
		...sizes(shared),
		count(inner),
		count(columns)
	])).reshape(sizes(shared + rows + columns)), shared + rows + columns, output);
}
//#endregion
//#region src/onnx/adapters/linalg.ts
/** Rows of any leading axes times a matrix: a Gemm, whose gradient is a Gemm too. */
function matmul(a, b) {
	if (a.rank === 1) return matmul(a.unsqueeze(0), b).squeeze(b.rank === 1 ? 0 : b.rank - 2);
	if (b.rank === 1) return matmul(a, b.unsqueeze(1)).squeeze(a.rank - 1);
	withinSamples(a.shape, [a.rank - 1], "MatMul");
	if (b.rank > 2) return a.matmul(b);
	const [k, n] = b.shape;
	const rows = a.reshape([a.size / a.shape[a.rank - 1], a.shape[a.rank - 1]]);
	const [weight, transB] = untransposed(b);
	return k === rows.shape[1] ? rows.gemm(weight, void 0, transB ? { transB: 1 } : {}).reshape([...a.shape.slice(0, -1), n]) : a.matmul(b);
}
/** W of Wᵀ: exporters write a linear layer as a product with a transposed weight. */
function untransposed(b) {
	const { op, attrs, inputs } = b.node;
	return op === "Transpose" && `${attrs.perm}` === "1,0" ? [inputs[0], true] : [b, false];
}
function gemm(c) {
	const [a, b, bias] = [
		c.in(0),
		c.in(1),
		c.x[2]
	];
	const [transA, transB] = [c.int("transA", 0), c.int("transB", 0)];
	if (a.rank === 2) withinSamples(a.shape, [transA ? 0 : 1], "Gemm");
	const [alpha, beta] = [c.float("alpha", 1), c.float("beta", 1)];
	const [weight, turned] = untransposed(b);
	const trans = Number(Boolean(transB) !== turned);
	const attrs = {
		...transA && { transA },
		...trans && { transB: trans },
		...alpha !== 1 && { alpha }
	};
	const shift = beta === 0 ? void 0 : bias && beta !== 1 ? bias.mul(beta) : bias;
	return apply("Gemm", shift ? [
		a,
		weight,
		shift
	] : [a, weight], attrs);
}
/** a + b; where one is a product without a bias and the other a bias, the product takes it. */
function add(c) {
	const [a, b] = [c.in(0), c.in(1)];
	return biased(a, b) ?? biased(b, a) ?? a.add(b);
}
function biased(y, bias) {
	const columns = y.shape[y.rank - 1];
	if (bias.rank !== 1 || bias.shape[0] !== columns || bias.dtype !== "float32") return void 0;
	const product = y.node.op === "Reshape" ? y.node.inputs[0] : y;
	const { op, inputs, attrs } = product.node;
	if (op !== "Gemm" || inputs.length > 2 || product.shape[1] !== columns) return void 0;
	return apply("Gemm", [...inputs, bias], attrs).reshape(y.shape);
}
const linalg = {
	MatMul: (c) => matmul(c.in(0), c.in(1)),
	Gemm: gemm,
	Add: add,
	Einsum: (c) => {
		if (c.x.length > 2) throw new Refusal("Einsum of more than two operands");
		return einsum(c.string("equation", ""), c.x);
	}
};
/** softmax(Q · Kᵀ · scale + mask) · V of opset 23, without a cache. */
function attention$2(c) {
	if (c.int("is_causal", 0) || c.float("softcap", 0) || c.int("qk_matmul_output_mode", 0) || c.x.length > 4 || c.outputs > 1) throw new Refusal("Attention that is causal or keeps a cache");
	const heads = (x, count) => x.rank === 4 ? x : x.reshape([
		x.shape[0],
		x.shape[1],
		count,
		x.shape[2] / count
	]).transpose([
		0,
		2,
		1,
		3
	]);
	const q = heads(c.in(0), c.int("q_num_heads", 1));
	const [k, v] = [1, 2].map((i) => heads(c.in(i), c.int("kv_num_heads", 1)));
	if (q.shape[1] !== k.shape[1]) throw new Refusal("Attention whose heads share keys");
	const scores = q.mul(c.float("scale", 1 / Math.sqrt(q.shape[3]))).matmul(k.mT());
	const mask = c.x[3];
	if (mask?.dtype === "bool") throw new Refusal("Attention with a mask of booleans");
	const y = (mask ? scores.add(mask) : scores).softmax(3).matmul(v);
	const [n, h, l, d] = y.shape;
	return c.in(0).rank === 4 ? y : y.transpose([
		0,
		2,
		1,
		3
	]).reshape([
		n,
		l,
		h * d
	]);
}
//#endregion
//#region src/nn/init.ts
const from = (draw) => (shape, random) => {
	const next = draw(shape, random);
	const values = new Float32Array(sizeOf(shape));
	for (let i = 0; i < values.length; i++) values[i] = next();
	return values;
};
const constantInit = (value) => from(() => () => value);
const zeros = constantInit(0);
const ones = constantInit(1);
const normal = (std) => from((_, random) => () => std * random.normal());
const uniform = (bound) => from((_, random) => () => random.uniformIn(-bound, bound));
/** Normal of the given standard deviation, redrawn outside ±2 (absolute, as timm's trunc_normal_). */
const truncNormal = (std) => from((_, random) => () => {
	for (;;) {
		const v = std * random.normal();
		if (Math.abs(v) <= 2) return v;
	}
});
/** Fan-in and fan-out of a weight [out, in, ...kernel]. */
function fans(shape, group = 1) {
	const kernel = sizeOf(shape.slice(2));
	return {
		fanIn: shape[1] * kernel,
		fanOut: shape[0] * kernel / group
	};
}
/** Uniform ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010). */
const xavierUniform = (shape, random) => {
	const { fanIn, fanOut } = fans(shape);
	return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, random);
};
/** Truncated normal with variance 1 / fan in (LeCun), drawn within ±2 standard deviations. */
const lecunNormal = (shape, random) => {
	const std = Math.sqrt(1 / fans(shape).fanIn) / .8796256610342398;
	return from(() => () => {
		for (;;) {
			const v = random.normal();
			if (Math.abs(v) <= 2) return std * v;
		}
	})(shape, random);
};
/** Normal with variance 2 / fan out (He et al. 2015). */
const kaimingNormalFanOut = (group = 1) => (shape, random) => normal(Math.sqrt(2 / fans(shape, group).fanOut))(shape, random);
/** PyTorch's default for linear and convolution weights: uniform ±1/sqrt(fan in). */
const defaultWeight = (shape, random) => uniform(1 / Math.sqrt(fans(shape).fanIn))(shape, random);
/** PyTorch's default for a bias beside a weight of that fan-in. */
const defaultBias = (fanIn) => uniform(1 / Math.sqrt(fanIn));
//#endregion
//#region src/nn/module.ts
/** Makes a layer. Key order is state-dict order: own slots first, then children, as in PyTorch. */
const module = (children, forward) => ({
	children,
	forward
});
/** A module that owns nothing. */
const fn = (forward) => ({
	children: {},
	forward: (_self, ...args) => forward(...args)
});
const identity = () => fn((x) => x);
const parameter = (shape, init, options = {}) => ({
	slot: "parameter",
	shape,
	dtype: "float32",
	init,
	decay: options.decay ?? shape.length >= 2,
	grid: options.grid,
	window: options.window
});
const buffer = (shape, init, dtype = "float32") => ({
	slot: "buffer",
	shape,
	dtype,
	init,
	decay: false
});
const isSlot = (child) => "slot" in child;
const join$1 = (path, key) => path ? `${path}.${key}` : String(key);
/** Every slot of a module in state-dict order. */
function slotsOf(root, path = "") {
	const own = [];
	const below = [];
	for (const [key, child] of Object.entries(root.children)) {
		if (child === void 0) continue;
		if (Array.isArray(child)) below.push(...child.flatMap((c, i) => slotsOf(c, join$1(join$1(path, key), i))));
		else if (isSlot(child)) own.push({
			...child,
			name: join$1(path, key)
		});
		else below.push(...slotsOf(child, join$1(path, key)));
	}
	const rank = (s) => Number(s.slot === "buffer");
	return [...own.sort((a, b) => rank(a) - rank(b)), ...below];
}
/** A trace in progress: collects new buffer values and named inner tensors. */
var Trace = class {
	training;
	/** New values of buffers (running statistics), by state-dict name. */
	updates = /* @__PURE__ */ new Map();
	/** Inner tensors named by `tap`, such as "blocks.0.attn.probs". */
	taps = /* @__PURE__ */ new Map();
	noise;
	#resolve;
	#frozen;
	#slots = /* @__PURE__ */ new Map();
	#names = /* @__PURE__ */ new Map();
	constructor({ training, resolve, noise, frozen = /* @__PURE__ */ new Set() }) {
		this.training = training;
		this.#resolve = resolve;
		this.#frozen = frozen;
		this.noise = noise ?? (() => {
			throw new TesseraeError("internal", "this program has no random numbers");
		});
	}
	slot(name, slot) {
		let t = this.#slots.get(name);
		if (!t) {
			t = this.#resolve({
				...slot,
				name
			});
			this.#slots.set(name, t);
			this.#names.set(t, name);
		}
		return t;
	}
	/** Whether training leaves this slot as it is. */
	isFrozen(slot) {
		const name = this.#names.get(slot);
		return name !== void 0 && this.#frozen.has(name);
	}
	/** Sets the value that a buffer has after the step. */
	update(buffer, value) {
		this.updates.set(this.#names.get(buffer), value);
	}
};
let current;
/** The trace in progress. */
function trace() {
	if (!current) throw new TesseraeError("internal", "layers run inside a trace only");
	return current;
}
const isTraining = () => trace().training;
/** Names an inner tensor "<module path>.<name>" for figures and tests, and passes it on. */
function tap(name, t) {
	trace().taps.set(join$1(currentScope(), name), t);
	return t;
}
/** Runs a module under a trace: `f` receives it bound. */
function withTrace(context, root, f) {
	const outer = current;
	current = context;
	try {
		return f(bindModule(root, "", context));
	} finally {
		current = outer;
	}
}
function bindModule(root, path, context) {
	const self = ((...args) => withScope(path, () => root.forward(self, ...args)));
	for (const [key, child] of Object.entries(root.children)) {
		let bound;
		const get = () => bound ??= child && bindChild(child, join$1(path, key), context);
		Object.defineProperty(self, key, {
			get,
			configurable: true
		});
	}
	return self;
}
function bindChild(child, path, context) {
	if (Array.isArray(child)) return child.map((c, i) => bindModule(c, join$1(path, i), context));
	return isSlot(child) ? context.slot(path, child) : bindModule(child, path, context);
}
//#endregion
//#region src/nn/norm.ts
/** Layer norm over the last axis (Ba et al. 2016). timm's transformers use epsilon 1e-6. */
const layerNorm$2 = (dim, { epsilon = 1e-6, weightInit = ones } = {}) => module({
	weight: parameter([dim], weightInit),
	bias: parameter([dim], zeros)
}, (m, x) => apply("LayerNormalization", [
	x,
	m.weight,
	m.bias
], {
	axis: x.rank - 1,
	epsilon
}));
/** Layer norm over the channels of each pixel of [N, C, H, W]. */
const layerNorm2d = (dim, { epsilon = 1e-6 } = {}) => module({
	weight: parameter([dim], ones),
	bias: parameter([dim], zeros)
}, (m, x) => apply("LayerNormalization", [
	x.transpose([
		0,
		2,
		3,
		1
	]),
	m.weight,
	m.bias
], {
	axis: 3,
	epsilon
}).transpose([
	0,
	3,
	1,
	2
]));
/** Zero mean and unit (biased) variance along the last axis; nothing learned. */
const standardize = (x, epsilon) => apply("LayerNormalization", [x, constant(1).expand([x.shape[x.rank - 1]])], {
	axis: x.rank - 1,
	epsilon
});
/** Group norm of [N, C, ...]: the channels of a group share one mean and variance (Wu and He 2018). */
const groupNorm = (dim, { groups = 32, epsilon = 1e-5, weightInit = ones } = {}) => module({
	weight: parameter([dim], weightInit),
	bias: parameter([dim], zeros)
}, (m, x) => {
	const rows = standardize(x.reshape([
		x.shape[0],
		groups,
		x.size / x.shape[0] / groups
	]), epsilon);
	const channels = [dim, ...Array(x.rank - 2).fill(1)];
	return rows.reshape(x.shape).mul(m.weight.reshape(channels)).add(m.bias.reshape(channels));
});
/** x normalised by its own batch; the running statistics follow by PyTorch's `momentum`. */
function batchNormInTraining(x, parts) {
	const { weight, bias, running, epsilon, momentum } = parts;
	const [y, mean, variance] = applyAll("BatchNormalization", [
		x,
		weight,
		bias,
		...[running.mean, running.variance].map((t) => t.mul(0))
	], {
		epsilon,
		training_mode: 1,
		momentum: 0
	});
	const n = x.size / x.shape[1];
	const blend = (old, now) => old.mul(1 - momentum).add(now.mul(momentum));
	trace().update(running.mean, blend(running.mean, mean));
	trace().update(running.variance, blend(running.variance, variance.mul(n / (n - 1))));
	return y;
}
/**
* Batch norm over [N, C, H, W] (Ioffe and Szegedy 2015) with PyTorch's running statistics: the mean and the
* unbiased variance of each batch, blended with `momentum`. Frozen running statistics normalise in training too.
*/
const batchNorm$1 = (dim, { epsilon = 1e-5, momentum = .1, weightInit = ones } = {}) => module({
	weight: parameter([dim], weightInit),
	bias: parameter([dim], zeros),
	running_mean: buffer([dim], zeros),
	running_var: buffer([dim], ones),
	num_batches_tracked: buffer([], zeros, "int64")
}, (m, x) => {
	const running = {
		mean: m.running_mean,
		variance: m.running_var
	};
	if (!trace().training || trace().isFrozen(running.mean)) return apply("BatchNormalization", [
		x,
		m.weight,
		m.bias,
		running.mean,
		running.variance
	], {
		epsilon,
		training_mode: 0
	});
	const y = batchNormInTraining(x, {
		weight: m.weight,
		bias: m.bias,
		running,
		epsilon,
		momentum
	});
	trace().update(m.num_batches_tracked, m.num_batches_tracked.add(1));
	return y;
});
//#endregion
//#region src/onnx/adapters/norm.ts
/** Softmax and its logarithm; before opset 13 all axes from `axis` on are one. */
function softmax(c) {
	const x = c.in(0);
	const axis = normalizeAxis(c.int("axis", c.opset < 13 ? 1 : -1), x.rank);
	withinSamples(x.shape, [axis], c.op);
	if (c.opset >= 13 || axis === x.rank - 1) return apply(c.op, [x], { axis });
	const flat = x.reshape([sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
	return apply(c.op, [flat], { axis: 1 }).reshape(x.shape);
}
/** Kept in its inference form; a training graph replaces it by the norm of the batch (see replay.ts). */
function batchNorm(c) {
	return apply("BatchNormalization", [
		0,
		1,
		2,
		3,
		4
	].map((i) => c.in(i)), {
		epsilon: c.float("epsilon", 1e-5),
		training_mode: 0,
		momentum: c.float("momentum", .9)
	});
}
function layerNorm$1(c) {
	const x = c.in(0);
	const axis = normalizeAxis(c.int("axis", -1), x.rank);
	withinSamples(x.shape, x.shape.map((_, i) => i).slice(axis), c.op);
	const normalized = x.shape.slice(axis);
	const [scale, bias] = [c.in(1), c.x[2]].map((t) => t?.expand(normalized));
	return apply("LayerNormalization", bias ? [
		x,
		scale,
		bias
	] : [x, scale], {
		axis,
		epsilon: c.float("epsilon", 1e-5)
	});
}
/** [C] against [N, C, ...]. */
const alongChannels = (t, rank) => t.reshape([t.size, ...Array(rank - 2).fill(1)]);
const isFilled = (t, value) => t.node.op === "Constant" && constantValue(t.node).data.every((v) => v === value);
/** Instance norm and group norm: the mean and variance of each image's group of channels. */
function grouped(c, groups) {
	const x = c.in(0);
	const [n, channels] = x.shape;
	const y = standardize(x.reshape([
		n,
		groups,
		sizeOf(x.shape.slice(1)) / groups
	]), c.float("epsilon", 1e-5));
	if (isFilled(c.in(1), 1) && isFilled(c.in(2), 0)) return y.reshape(x.shape);
	const spread = (t) => t.size === channels ? t : t.reshape([groups, 1]).expand([groups, channels / groups]).reshape([channels]);
	const [scale, bias] = [c.in(1), c.in(2)].map((t) => alongChannels(spread(t), x.rank));
	return y.reshape(x.shape).mul(scale).add(bias);
}
/** x / √(mean(x²) + ε) · scale (Zhang and Sennrich 2019). */
function rmsNorm(c) {
	const x = c.in(0);
	const axis = normalizeAxis(c.int("axis", -1), x.rank);
	const axes = x.shape.map((_, i) => i).slice(axis);
	withinSamples(x.shape, axes, c.op);
	const square = x.mul(x).mean(axes, true);
	return x.div(square.add(c.float("epsilon", 1e-5)).sqrt()).mul(c.in(1));
}
/** x / (bias + alpha/size · Σ of squares over neighbouring channels)^beta (Krizhevsky et al. 2012). */
function localResponseNorm(c) {
	const x = c.in(0);
	const size = c.int("size", 1);
	const [n, channels, ...space] = x.shape;
	const before = Math.floor((size - 1) / 2);
	const base = x.mul(x).reshape([
		n,
		1,
		channels,
		sizeOf(space)
	]).avgPool({
		kernel_shape: [size, 1],
		pads: [
			before,
			0,
			size - 1 - before,
			0
		],
		count_include_pad: 1
	}).reshape(x.shape).mul(c.float("alpha", 1e-4)).add(c.float("bias", 1));
	return x.div(apply("Pow", [base, constant(c.float("beta", .75))]));
}
function meanVariance(c) {
	const x = c.in(0);
	const axes = (c.ints("axes") ?? [
		0,
		2,
		3
	]).map((a) => normalizeAxis(a, x.rank));
	withinSamples(x.shape, axes, c.op);
	const centred = x.sub(x.mean(axes, true));
	return centred.div(centred.mul(centred).mean(axes, true).sqrt().add(1e-9));
}
function lpNorm(c) {
	const x = c.in(0);
	const axis = normalizeAxis(c.int("axis", -1), x.rank);
	withinSamples(x.shape, [axis], c.op);
	const norm = c.int("p", 2) === 1 ? x.abs().sum([axis], true) : x.sumSquare([axis], true).sqrt();
	return x.div(norm);
}
const norms = {
	Softmax: softmax,
	LogSoftmax: softmax,
	BatchNormalization: batchNorm,
	LayerNormalization: layerNorm$1,
	InstanceNormalization: (c) => grouped(c, c.in(0).shape[1]),
	GroupNormalization: (c) => grouped(c, c.int("num_groups", 1)),
	RMSNormalization: rmsNorm,
	LRN: localResponseNorm,
	MeanVarianceNormalization: meanVariance,
	LpNormalization: lpNorm
};
//#endregion
//#region src/onnx/adapters/pool.ts
/** Strides, dilations and pads of a window over images, with auto_pad settled for the image at hand. */
function windowOf(c, kernel) {
	if (c.in(0).rank !== 4 || kernel.length !== 2) throw new Refusal(`${c.op} of a rank other than images'`);
	const strides = [...c.ints("strides") ?? [1, 1]];
	const dilations = [...c.ints("dilations") ?? [1, 1]];
	const auto = c.string("auto_pad", "NOTSET");
	if (auto === "NOTSET") return {
		strides,
		dilations,
		pads: [...c.ints("pads") ?? [
			0,
			0,
			0,
			0
		]]
	};
	if (auto === "VALID") return {
		strides,
		dilations,
		pads: [
			0,
			0,
			0,
			0
		]
	};
	const total = [0, 1].map((i) => {
		const size = c.in(0).shape[i + 2];
		const reach = dilations[i] * (kernel[i] - 1) + 1;
		return Math.max((Math.ceil(size / strides[i]) - 1) * strides[i] + reach - size, 0);
	});
	const small = total.map((t) => Math.floor(t / 2));
	const large = total.map((t, i) => t - small[i]);
	return {
		strides,
		dilations,
		pads: auto === "SAME_LOWER" ? [...large, ...small] : [...small, ...large]
	};
}
function conv$5(c) {
	const window = windowOf(c, c.in(1).shape.slice(2));
	if (window.pads.some((p) => p < 0)) throw new Refusal("Conv with negative pads");
	return apply("Conv", operands(c), {
		...window,
		group: c.int("group", 1)
	});
}
const operands = (c) => c.x[2] ? [
	c.in(0),
	c.in(1),
	c.in(2)
] : [c.in(0), c.in(1)];
function convTranspose(c) {
	const auto = c.string("auto_pad", "NOTSET");
	if (auto !== "NOTSET" && auto !== "VALID" || c.has("output_shape")) throw new Refusal("ConvTranspose that derives its pads from an output size");
	const attrs = {
		...windowOf(c, c.in(1).shape.slice(2)),
		group: c.int("group", 1),
		output_padding: c.ints("output_padding")
	};
	return apply("ConvTranspose", operands(c), attrs);
}
const pool = (more) => (c) => {
	const kernel_shape = c.ints("kernel_shape") ?? [];
	const { strides, pads, dilations } = windowOf(c, kernel_shape);
	if (dilations.some((d) => d !== 1)) throw new Refusal(`${c.op} with dilations`);
	if (c.outputs > 1) throw new Refusal(`${c.op} that gives its indices`);
	if (pads.every((p) => p === 0) && kernel_shape.every((k, i) => k === c.in(0).shape[i + 2])) return c.op === "MaxPool" ? c.in(0).amax([2, 3], true) : c.in(0).mean([2, 3], true);
	return apply(c.op, [c.in(0)], {
		kernel_shape,
		strides,
		pads,
		ceil_mode: c.int("ceil_mode", 0),
		...more(c)
	});
};
const space = (x) => x.shape.map((_, i) => i).slice(2);
const pools = {
	Conv: conv$5,
	ConvTranspose: convTranspose,
	MaxPool: pool(() => ({})),
	AveragePool: pool((c) => ({ count_include_pad: c.int("count_include_pad", 0) })),
	GlobalAveragePool: (c) => c.in(0).mean(space(c.in(0)), true),
	GlobalMaxPool: (c) => c.in(0).amax(space(c.in(0)), true)
};
//#endregion
//#region src/onnx/adapters/reduce.ts
/** Axes of a reduction: an operand in newer opsets, an attribute in older ones, all where both are absent. */
function axesOf$1(c) {
	const x = c.in(0);
	const given = c.list(1, "axes");
	if (given?.length) return given.map((a) => normalizeAxis(a, x.rank)).sort((a, b) => a - b);
	return c.int("noop_with_empty_axes", 0) ? void 0 : x.shape.map((_, i) => i);
}
/** A reduction f(x, axes, keepdims). */
const reduction = (f) => (c) => {
	const x = c.in(0);
	const axes = axesOf$1(c);
	if (!axes || axes.length === 0) return x;
	withinSamples(x.shape, axes, c.op);
	return f(x, axes, c.int("keepdims", 1) === 1);
};
const plain = (op) => reduction((x, axes, keepdims) => apply(op, [x], {
	axes,
	keepdims: keepdims ? 1 : 0
}));
const reductions = {
	ReduceSum: plain("ReduceSum"),
	ReduceMean: plain("ReduceMean"),
	ReduceMax: plain("ReduceMax"),
	ReduceMin: reduction((x, axes, keep) => x.neg().amax(axes, keep).neg()),
	ReduceProd: plain("ReduceProd"),
	ReduceSumSquare: plain("ReduceSumSquare"),
	ReduceL1: reduction((x, axes, keep) => x.abs().sum(axes, keep)),
	ReduceL2: reduction((x, axes, keep) => x.sumSquare(axes, keep).sqrt()),
	ReduceLogSum: reduction((x, axes, keep) => x.sum(axes, keep).log()),
	ReduceLogSumExp: reduction((x, axes, keep) => {
		const max = x.amax(axes, true);
		const sum = x.sub(max).exp().sum(axes, true).log().add(max);
		return keep ? sum : sum.reshape(x.shape.filter((_, i) => !axes.includes(i)));
	}),
	ArgMax: (c) => {
		const axis = normalizeAxis(c.int("axis", 0), c.in(0).rank);
		withinSamples(c.in(0).shape, [axis], c.op);
		return apply("ArgMax", [c.in(0)], {
			axis,
			keepdims: c.int("keepdims", 1)
		});
	}
};
//#endregion
//#region src/onnx/adapters/resize.ts
/** How an output coordinate falls on the input: opset 11's coordinate_transformation_mode. */
const COORDINATES = {
	half_pixel: (o, scale) => (o + .5) / scale - .5,
	pytorch_half_pixel: (o, scale, _from, to) => to > 1 ? (o + .5) / scale - .5 : 0,
	asymmetric: (o, scale) => o / scale,
	align_corners: (o, _scale, from, to) => to > 1 ? o * (from - 1) / (to - 1) : 0,
	half_pixel_symmetric: (o, scale, from, to) => from / 2 * (1 - to / (scale * from)) + ((o + .5) / scale - .5)
};
const ROUND = {
	round_prefer_floor: (v) => Math.ceil(v - .5),
	round_prefer_ceil: (v) => Math.floor(v + .5),
	floor: Math.floor,
	ceil: Math.ceil
};
/** Keys' kernel with coefficient a. */
function cubic(t, a) {
	const d = Math.abs(t);
	if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
	return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}
const clamp = (i, size) => Math.min(Math.max(i, 0), size - 1);
/** Resize and Upsample, which are linear along each axis: a gather, or a product with a matrix of interpolation weights. */
function resize(c) {
	const x = c.in(0);
	const mode = c.string("mode", "nearest");
	if (c.int("antialias", 0) || c.int("exclude_outside", 0)) throw new Refusal("Resize with antialias or exclude_outside");
	return axesOf(c).reduce((t, { axis, ...along }) => {
		if (along.from === along.to && along.at.every((v, i) => v === i)) return t;
		return mode === "nearest" ? nearest$1(c, t, axis, along) : interpolated(c, t, axis, along, mode);
	}, x);
}
function axesOf(c) {
	const x = c.in(0);
	const upsample = c.op === "Upsample" || c.opset < 11;
	const listed = c.ints("axes") ?? x.shape.map((_, i) => i);
	const scales = upsample ? c.values(1) ?? c.floats("scales") : c.values(2);
	const sizes = upsample ? void 0 : c.values(3);
	if (c.string("keep_aspect_ratio_policy", "stretch") !== "stretch") throw new Refusal("Resize that keeps the aspect ratio");
	const name = c.string("coordinate_transformation_mode", upsample ? "asymmetric" : "half_pixel");
	const coordinate = COORDINATES[name];
	if (!coordinate) throw new Refusal(`Resize with coordinates ${JSON.stringify(name)}`);
	return listed.flatMap((axis, i) => {
		const from = x.shape[axis];
		if (from < 0 || (sizes?.length ? sizes[i] === from : scales?.[i] === 1)) return [];
		const to = sizes?.length ? sizes[i] : Math.floor(from * (scales?.[i] ?? NaN));
		if (!(to >= 1 && to <= 2 ** 14 && to * from <= 2 ** 22)) throw new Refusal(`Resize from ${from} to ${to}`);
		const scale = sizes?.length ? to / from : scales?.[i];
		return [{
			axis,
			from,
			to,
			at: Array.from({ length: to }, (_, o) => coordinate(o, scale, from, to))
		}];
	});
}
function nearest$1(c, x, axis, { from, at }) {
	const old = c.op === "Upsample" || c.opset < 11;
	const round = ROUND[c.string("nearest_mode", old ? "floor" : "round_prefer_floor")];
	if (!round) throw new Refusal("Resize with an unknown rounding");
	const places = at.map((v) => clamp(round(v), from));
	return x.gather(constant(places, [places.length], "int64"), axis);
}
function interpolated(c, x, axis, { from, to, at }, mode) {
	if (mode !== "linear" && mode !== "cubic") throw new Refusal(`Resize of kind ${JSON.stringify(mode)}`);
	const a = c.float("cubic_coeff_a", -.75);
	const weights = new Float64Array(from * to);
	at.forEach((v, o) => {
		const taps = mode === "linear" ? [0, 1] : [
			-1,
			0,
			1,
			2
		];
		const place = mode === "linear" ? clamp(v, from) : v;
		const base = Math.floor(place);
		for (const tap of taps) {
			const d = place - (base + tap);
			weights[clamp(base + tap, from) * to + o] += mode === "linear" ? Math.max(0, 1 - Math.abs(d)) : cubic(d, a);
		}
	});
	const perm = [...[...x.shape.keys()].filter((i) => i !== axis), axis];
	return x.transpose(perm).matmul(constant(weights, [from, to])).transpose(perm.map((_, i) => perm.indexOf(i)));
}
//#endregion
//#region src/onnx/adapters/shape.ts
const axes = (t) => [...t.shape.keys()];
function reshape(c) {
	const x = c.in(0);
	const target = c.values(1) ?? [];
	return x.reshape(reshaped(x.shape, target, {
		hard: c.hard,
		allowZero: c.int("allowzero", 0) === 1
	}));
}
function flatten(c) {
	const x = c.in(0);
	const at = c.int("axis", 1);
	const axis = at < 0 ? at + x.rank : at;
	return x.reshape([sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
}
/** Axes of one element dropped; the batch is never one, even where the file was written for a single image. */
function squeeze$1(c) {
	const x = c.in(0);
	const drop = c.list(1, "axes")?.map((a) => normalizeAxis(a, x.rank)) ?? axes(x).filter((i) => x.shape[i] === 1);
	if (drop.filter((i) => x.shape[i] < 0).length && !(c.hard === 1)) throw new Refusal("Squeeze of the batch");
	if (drop.some((i) => x.shape[i] > 1 || x.shape[i] === 0)) throw new TesseraeError("shape", `cannot squeeze axes [${drop}] of [${x.shape}]`);
	return x.reshape(x.shape.filter((d, i) => d < 0 || !drop.includes(i)));
}
function unsqueeze(c) {
	const x = c.in(0);
	const list = c.list(1, "axes") ?? [];
	const at = new Set(list.map((a) => normalizeAxis(a, x.rank + list.length)));
	const rest = [...x.shape];
	return x.reshape(Array.from({ length: x.rank + at.size }, (_, i) => at.has(i) ? 1 : rest.shift()));
}
/** Two transpositions in a row are one, or none. */
function transpose(c) {
	const x = c.in(0);
	const perm = c.ints("perm") ?? axes(x).reverse();
	const inner = x.node.op === "Transpose" ? x.node.attrs.perm : void 0;
	if (!inner || perm.length !== inner.length) return apply("Transpose", [x], { perm });
	return x.node.inputs[0].transpose(perm.map((p) => inner[p]));
}
/** A part that every image shares: one row, expanded to the batch. */
function shared(t) {
	const source = t.node.op === "Expand" ? t.node.inputs[0] : t;
	return t.shape[0] < 0 && source.rank === t.rank && source.shape[0] === 1 ? source.expand([1, ...t.shape.slice(1)]) : void 0;
}
/**
* Joins. Tokens that are the same for every image (class token, registers) are added to zeros beside the others, so that
* nothing is expanded to a batch of unknown size: [c, x] = pad(x) + [c, 0].
*/
function join(c) {
	const parts = matched(c, c.x.filter((t) => t !== void 0));
	const axis = normalizeAxis(c.int("axis", 0), parts[0].rank);
	if (parts.length === 1) return parts[0];
	withinSamples(parts[0].shape, parts[0].shape[0] < 0 ? [axis] : [], "Concat");
	const same = parts.map((t) => t.dtype === "float32" && axis > 0 ? shared(t) : void 0);
	const [first, last] = [same.indexOf(void 0), same.lastIndexOf(void 0)];
	const middle = parts.slice(first, last + 1);
	if (first < 0 || middle.length === parts.length || same.slice(first, last + 1).some(Boolean)) return concat(parts, axis);
	const own = concat(middle, axis);
	const width = (list) => list.reduce((s, t) => s + t.shape[axis], 0);
	const [before, after] = [parts.slice(0, first), parts.slice(last + 1)];
	const zeros = constant(0, [], "float32").expand([1, ...own.shape.slice(1)]);
	const beside = concat([
		...same.slice(0, first),
		zeros,
		...same.slice(last + 1)
	], axis);
	return own.pad(own.shape.map((_, i) => i === axis ? [width(before), width(after)] : [0, 0])).add(beside);
}
/** In a file written for one image, a part of size 1 stands for every image beside parts that are the batch's. */
function matched(c, parts) {
	if (c.hard !== 1 || !parts.some((t) => t.shape[0] < 0)) return parts;
	return parts.map((t) => t.shape[0] === 1 ? t.expand([-1, ...t.shape.slice(1)]) : t);
}
function split(c) {
	const x = c.in(0);
	const axis = normalizeAxis(c.int("axis", 0), x.rank);
	withinSamples(x.shape, [axis], "Split");
	const parts = c.int("num_outputs", c.outputs);
	const size = Math.ceil(x.shape[axis] / parts);
	const equal = Array.from({ length: parts }, (_, i) => Math.min(size, x.shape[axis] - i * size));
	const sizes = c.list(1, "split") ?? equal;
	return sizes.length === 1 ? [x] : applyAll("Split", [x], {
		axis,
		split: sizes
	});
}
function slice(c) {
	const x = c.in(0);
	const starts = c.list(1, "starts") ?? [];
	const ends = c.list(2, "ends") ?? [];
	const at = (c.list(3, "axes") ?? starts.map((_, i) => i)).map((a) => normalizeAxis(a, x.rank));
	const steps = c.values(4) ?? starts.map(() => 1);
	return at.reduce((t, axis, i) => sliced(t, axis, starts[i], ends[i], steps[i]), x);
}
function sliced(x, axis, start, end, step) {
	const size = x.shape[axis];
	if (step === 1 && start === 0 && end >= (size < 0 ? toValue(size) : size)) return x;
	withinSamples(x.shape, [axis], "Slice");
	if (step === 0) throw new TesseraeError("weights", "Slice by steps of 0");
	const at = (v) => Math.max(v < 0 ? v + size : v, 0);
	const bounded = step > 0 ? [Math.min(at(start), size), Math.min(at(end), size)] : [start, end];
	return x.slice(axis, bounded[0], bounded[1], step);
}
/** One entry is a slice, which passes know how to narrow; several are a gather. */
function gather(c) {
	const [x, indices] = [c.in(0), c.in(1)];
	const axis = normalizeAxis(c.int("axis", 0), x.rank);
	const own = axis === 0 && x.shape[0] < -1 && isConstant(indices) ? withinRows(c, x, indices) : void 0;
	if (own) return own;
	withinSamples(x.shape, [axis], "Gather");
	const shape = [
		...x.shape.slice(0, axis),
		...indices.shape,
		...x.shape.slice(axis + 1)
	];
	if (!isConstant(indices) || isConstant(x)) return x.gather(indices, axis);
	const values = [...c.values(1)].map((v) => v < 0 ? v + x.shape[axis] : v);
	if (values.some((v) => !(v >= 0 && v < x.shape[axis]))) throw new TesseraeError("shape", `Gather of [${values.slice(0, 8)}] from ${x.shape[axis]} entries`);
	if (values.every((v, i) => v === values[0] + i) && values.length > 0) return x.slice(axis, values[0], values[0] + values.length).reshape(shape);
	return x.gather(constant(values, indices.shape, "int64"), axis);
}
/**
* A batch whose images lie in one row, [k·N, ...], addressed by n·k + i (as_strided): entries i of each image. In a file
* written for one image n is 0.
*/
function withinRows(c, x, indices) {
	const k = -x.shape[0];
	const origin = c.hard === 1 ? 0 : k * ROW;
	const values = c.values(1).map((v) => v - origin);
	if (indices.shape[0] !== 1 || values.some((v) => !(v >= 0 && v < k))) return void 0;
	const rest = x.shape.slice(1);
	const rows = x.reshape([
		-1,
		k,
		...rest
	]);
	return (values.length === k && values.every((v, i) => v === i) ? rows : rows.gather(constant(values, [values.length], "int64"), 1)).reshape([
		-1,
		...indices.shape.slice(1),
		...rest
	]);
}
/** Entries at places [..., r] over the first r axes, which are known: a gather over those axes as one. */
function gatherNd(c) {
	const [x, places] = [c.in(0), c.array(1)];
	const depth = places.shape[places.shape.length - 1];
	if (c.int("batch_dims", 0) || !(depth >= 1 && depth <= x.rank)) throw new Refusal("GatherND of batches");
	const outer = x.shape.slice(0, depth);
	withinSamples(x.shape, axes(x).slice(0, depth), "GatherND");
	const strides = stridesOf(outer);
	const flat = Array.from({ length: places.data.length / depth }, (_, k) => outer.reduce((sum, size, i) => {
		const at = places.data[k * depth + i];
		const place = at < 0 ? at + size : at;
		if (!(place >= 0 && place < size)) throw new TesseraeError("shape", "GatherND beyond its tensor");
		return sum + place * strides[i];
	}, 0));
	return x.reshape([sizeOf(outer), ...x.shape.slice(depth)]).gather(constant(flat, places.shape.slice(0, -1), "int64"), 0);
}
/** Broadcasts both ways: a 1 in the target keeps the tensor's size. */
function expand(c) {
	const x = c.in(0);
	const target = (c.values(1) ?? []).map(toSize);
	const rank = Math.max(x.rank, target.length);
	const from = (shape, i) => shape[i - rank + shape.length] ?? 1;
	const size = (own, wanted) => {
		const written = c.hard !== void 0 && own < 0 && wanted === -own * c.hard;
		return wanted === 1 || written ? own : wanted;
	};
	return x.expand(Array.from({ length: rank }, (_, i) => size(from(x.shape, i), from(target, i))));
}
function tile(c) {
	const x = c.in(0);
	return (c.values(1) ?? []).reduce((t, value, axis) => {
		const n = toSize(value);
		if (n === 1) return t;
		if (t.shape[axis] === 1) return t.expand(t.shape.map((d, i) => i === axis ? n : d));
		withinSamples([n, ...t.shape], [0, axis + 1], "Tile");
		if (!(n >= 0 && n <= 2 ** 16)) throw new Refusal(`Tile of ${n} copies`);
		return concat(Array(n).fill(t), axis);
	}, x);
}
function pad(c) {
	const x = c.in(0);
	const given = c.list(1, "pads") ?? [];
	const at = (c.values(3) ?? axes(x)).map((a) => normalizeAxis(a, x.rank));
	const value = c.opset < 11 ? c.float("value", 0) : c.scalar(2) ?? 0;
	const mode = c.string("mode", "constant");
	return at.reduce((t, axis, i) => {
		const [before, after] = [given[i], given[i + at.length]];
		if (before === 0 && after === 0) return t;
		withinSamples(t.shape, [axis], "Pad");
		if (mode !== "constant") return mirrored(t, axis, before, after, mode);
		const cut = sliced(t, axis, Math.max(-before, 0), t.shape[axis] + Math.min(after, 0), 1);
		return cut.pad(cut.shape.map((_, a) => a === axis ? [Math.max(before, 0), Math.max(after, 0)] : [0, 0]), value);
	}, x);
}
/** Padding by pixels of the image: which one stands at each place. */
function mirrored(x, axis, before, after, mode) {
	const size = x.shape[axis];
	const period = Math.max(2 * (size - 1), 1);
	const place = (i) => {
		if (mode === "edge") return Math.min(Math.max(i, 0), size - 1);
		if (mode === "wrap") return (i % size + size) % size;
		const m = (i % period + period) % period;
		return m < size ? m : period - m;
	};
	if (![
		"edge",
		"wrap",
		"reflect"
	].includes(mode) || size + before + after > 2 ** 16) throw new Refusal(`Pad by ${mode}`);
	const places = Array.from({ length: size + before + after }, (_, i) => place(i - before));
	return x.gather(constant(places, [places.length], "int64"), axis);
}
/** Channels to blocks of pixels; DCR: the block's place is the outer part of the channel, CRD: the inner. */
function depthToSpace(c) {
	const x = c.in(0);
	const b = c.int("blocksize", 1);
	const [n, channels, h, w] = x.shape;
	const depth = channels / (b * b);
	const crd = c.string("mode", "DCR") === "CRD";
	return (crd ? x.reshape([
		n,
		depth,
		b,
		b,
		h,
		w
	]) : x.reshape([
		n,
		b,
		b,
		depth,
		h,
		w
	])).transpose(crd ? [
		0,
		1,
		4,
		2,
		5,
		3
	] : [
		0,
		3,
		4,
		1,
		5,
		2
	]).reshape([
		n,
		depth,
		h * b,
		w * b
	]);
}
function spaceToDepth(c) {
	const x = c.in(0);
	const b = c.int("blocksize", 1);
	const [n, channels, h, w] = x.shape;
	return x.reshape([
		n,
		channels,
		h / b,
		b,
		w / b,
		b
	]).transpose([
		0,
		3,
		5,
		1,
		2,
		4
	]).reshape([
		n,
		channels * b * b,
		h / b,
		w / b
	]);
}
/** The sizes of a tensor, as far as `start` and `end` ask. */
function shapeOf(c) {
	const { shape } = c.in(0);
	const bound = (v) => Math.min(Math.max(v < 0 ? v + shape.length : v, 0), shape.length);
	const part = shape.slice(bound(c.int("start", 0)), bound(c.int("end", shape.length)));
	return constant(part.map(toValue), [part.length], "int64");
}
const shapes = {
	Reshape: reshape,
	Flatten: flatten,
	Squeeze: squeeze$1,
	Unsqueeze: unsqueeze,
	Transpose: transpose,
	Concat: join,
	Split: split,
	Slice: slice,
	Gather: gather,
	GatherND: gatherNd,
	Expand: expand,
	Tile: tile,
	Pad: pad,
	Resize: resize,
	Upsample: resize,
	DepthToSpace: depthToSpace,
	SpaceToDepth: spaceToDepth,
	Shape: shapeOf,
	Size: (c) => constant(sizeOf(c.in(0).shape.map(toValue)), [], "int64"),
	Identity: (c) => c.in(0),
	Dropout: (c) => c.outputs > 1 ? [c.in(0), c.in(0).equal(c.in(0))] : c.in(0)
};
//#endregion
//#region src/onnx/adapters/index.ts
const STANDARD = {
	...constants,
	...elementwise,
	...linalg,
	...norms,
	...pools,
	...reductions,
	...shapes,
	Attention: attention$2
};
const DOMAINS = new Map([
	["", new Map(Object.entries(STANDARD))],
	["ai.onnx", new Map(Object.entries(STANDARD))],
	["com.microsoft", new Map(Object.entries(contributed))]
]);
/** How an operator is read; undefined for one that is not. */
const adapterOf = (domain, op) => DOMAINS.get(domain)?.get(op);
//#endregion
//#region src/onnx/fold.ts
/**
* Evaluates what depends on no image and on no weight: the computation of shapes, indices and masks. What is computed of
* weights (a table that is gathered, a kernel that is standardised) stays in the graph, so that it trains as it was.
*/
var Folder = class {
	#weights;
	#left = LIMITS.constants;
	/** `tensors` are the constants that the file holds as tensors. */
	constructor(tensors) {
		this.#weights = tensors;
	}
	/** A float tensor of several values may be a weight. */
	#isFixed(t) {
		return isConstant(t) && !(this.#weights.has(t) && isFloat(t.dtype) && t.size > 1);
	}
	fold(outputs, x) {
		if (!x.every((t) => t === void 0 || this.#isFixed(t))) return outputs;
		return outputs.map((t) => this.#folded(t));
	}
	#folded(t) {
		if (isConstant(t)) return t;
		if (t.shape.some((d) => d < 0)) return t;
		const nodes = nodesOf([t]);
		if (nodes.some((n) => n.op === "Input")) return t;
		const cost = nodes.reduce((sum, n) => sum + n.outputs.reduce((s, o) => s + Math.abs(sizeOf(o.shape)), 0), 0);
		if (nodes.some((n) => n.outputs.some((o) => Math.abs(sizeOf(o.shape)) > LIMITS.constant))) return t;
		this.#left -= cost;
		if (this.#left < 0) throw new Refusal("more constants than a model has");
		const { shape, data } = evaluateExactly(nodes, t);
		return constant(data, shape, t.dtype);
	}
};
/** Evaluates constants; integers stay integers, as Div's quotient does in ONNX. */
function evaluateExactly(nodes, t) {
	const values = /* @__PURE__ */ new Map();
	for (const node of nodes) {
		if (node.op === "Constant") {
			values.set(node, [constantValue(node)]);
			continue;
		}
		const inputs = node.inputs.map((x) => x && values.get(x.node)?.[x.index]);
		const result = opDef(node.op).evaluate(inputs, node.attrs, node.inputs);
		const list = Array.isArray(result) ? result : [result];
		values.set(node, list.map((v, i) => isFloat(node.outputs[i].dtype) ? v : {
			shape: v.shape,
			data: v.data.map(Math.trunc)
		}));
	}
	return values.get(t.node)[t.index];
}
//#endregion
//#region src/onnx/image.ts
const SIDE$1 = 224;
const refuse = (what, hint) => new TesseraeError("model", what, { hint });
/**
* Finds the one input that is a batch of images, and settles its sizes: `size` = [H, W] where they are symbols. Throws
* TesseraeError("model") where there is none, or where there are other inputs.
*/
function imageLayout(graph, size) {
	const constants = new Set(graph.initializer.map((t) => t.name));
	const inputs = graph.input.filter((v) => !constants.has(v.name));
	if (inputs.length !== 1) throw refuse(`takes ${inputs.length} inputs (${inputs.slice(0, 4).map((v) => v.name).join(", ")}), not a batch of images`);
	const [info] = inputs;
	const { dims, dtype } = sizesOf(info);
	if (dims.length !== 4) throw refuse(`its input ${info.name} has ${dims.length} axes; images have 4`);
	if (!isFloat(dtype) && dtype !== "uint8") throw refuse(`its input ${info.name} is of type ${dtype}; images are float32 or uint8`);
	const channelsLast = isLast(dims, graph, info.name);
	const [c, h, w] = channelsLast ? [
		dims[3],
		dims[1],
		dims[2]
	] : dims.slice(1);
	const sized = h === void 0 || w === void 0;
	if (!sized && size && (size[0] !== h || size[1] !== w)) throw refuse(`is made for images of ${h}x${w}, not ${size.join("x")}`, "Export it with free height and width");
	const shape = [
		-1,
		c ?? 3,
		h ?? size?.[0] ?? SIDE$1,
		w ?? size?.[1] ?? SIDE$1
	];
	if (shape.slice(1).some((d) => !(d >= 1 && d <= 2 ** 14))) throw refuse(`takes images of [${shape.slice(1)}]`);
	return {
		name: info.name,
		shape,
		channelsLast,
		bytes: dtype === "uint8",
		batch: dims[0],
		sized
	};
}
/** Sizes of an input; undefined for symbols, and for 0 and -1 that old exporters write in their place. */
function sizesOf({ name, type }) {
	if (type?.value.case !== "tensorType") throw refuse(`its input ${name} is not a tensor`);
	const { elemType, shape } = type.value.value;
	return {
		dims: (shape?.dim ?? []).map(({ value }) => value.case === "dimValue" && value.value > 0n ? Number(value.value) : void 0),
		dtype: dtypeOf(elemType, name)
	};
}
/** Channels are few. Where both ends could be, or nothing is known, a file that transposes first tells. */
function isLast([, second, , last], graph, name) {
	const few = (d) => d !== void 0 && d <= 4;
	if (few(second) !== few(last)) return few(last);
	return graph.node.some((n) => n.opType === "Transpose" && n.input[0] === name && `${n.attribute.find((a) => a.name === "perm")?.ints}` === "0,3,1,2");
}
//#endregion
//#region src/graph/half.ts
let halves$1;
/** Every float16 by its bits. value = ±2^(e-15)·(1 + m/1024), or ±2^-14·m/1024 where e = 0. */
function halfTable() {
	if (halves$1) return halves$1;
	halves$1 = new Float32Array(65536);
	for (let bits = 0; bits < 65536; bits++) {
		const sign = bits >> 15 ? -1 : 1;
		const exponent = bits >> 10 & 31;
		const mantissa = bits & 1023;
		if (exponent === 31) halves$1[bits] = mantissa ? NaN : sign * Number.POSITIVE_INFINITY;
		else if (exponent === 0) halves$1[bits] = sign * mantissa * 2 ** -24;
		else halves$1[bits] = sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
	}
	return halves$1;
}
//#endregion
//#region src/onnx/precision.ts
/** A tensor in the precision that is trained in: every kind of float as float32. */
function single({ dtype, shape, data }) {
	if (!isFloat(dtype) || dtype === "float32") return {
		dtype,
		shape,
		data
	};
	const out = new Float32Array(data.length);
	const table = dtype === "float16" ? halfTable() : void 0;
	const bits = new Uint32Array(out.buffer);
	for (let i = 0; i < out.length; i++) if (table) out[i] = table[Number(data[i])];
	else if (dtype === "bfloat16") bits[i] = Number(data[i]) << 16;
	else out[i] = Number(data[i]);
	return {
		dtype: "float32",
		shape,
		data: out
	};
}
//#endregion
//#region src/onnx/read.ts
/** A value that cannot be had, because a node before it was refused. */
const LOST = Symbol("lost");
/** Names that a node may read: its graph's, then those around it. */
var Names = class {
	#own = /* @__PURE__ */ new Map();
	#outer;
	constructor(outer) {
		this.#outer = outer;
	}
	set(name, value) {
		if (name !== "") this.#own.set(name, value);
	}
	get(name) {
		const value = this.#own.get(name) ?? this.#outer?.find(name);
		if (value === void 0) throw new TesseraeError("weights", `nothing computes ${JSON.stringify(name)} before it is read`);
		return value;
	}
	find(name) {
		return this.#own.get(name) ?? this.#outer?.find(name);
	}
};
/**
* Reads ONNX bytes into a graph of our operators. Shapes are settled, constants folded, the batch is free. Throws
* TesseraeError("weights") for bytes that are no model, TesseraeError("model") for one that cannot be a graph here: what is
* refused is listed by name, count and node.
*/
function readOnnx(bytes, options = {}) {
	checkLimits(bytes);
	const model = decodeProto(bytes);
	if (!model.graph) throw new TesseraeError("weights", "the ONNX model has no graph");
	return new Reader(model, options).read(model.graph);
}
var Reader = class {
	#model;
	#options;
	#functions;
	#refused = /* @__PURE__ */ new Map();
	#constants = /* @__PURE__ */ new Map();
	#folder;
	#hard;
	#nodes = 0;
	constructor(model, options) {
		this.#model = model;
		this.#options = options;
		this.#functions = new Map(model.functions.map((f) => [`${f.domain}:${f.name}`, f]));
		this.#folder = new Folder(this.#constants);
	}
	read(graph) {
		const opset = opsetOf(this.#model);
		if (opset < 7) throw new TesseraeError("model", `opset ${opset} is too old: the oldest that is read is 7`);
		this.#refuseUnknown(graph.node);
		this.#throwRefused();
		const names = new Names();
		this.#initializers(graph.initializer, names);
		if (graph.sparseInitializer.length) throw new TesseraeError("model", "sparse weights are not supported");
		const parameters = this.#parameters(graph, names);
		const layout = imageLayout({
			...graph,
			input: graph.input.filter((v) => !names.find(v.name))
		}, this.#options.size);
		this.#hard = layout.batch;
		const image = input("image", "float32", layout.shape);
		names.set(layout.name, layout.channelsLast ? image.transpose([
			0,
			2,
			3,
			1
		]) : image);
		this.#list(graph.node, {
			names,
			opset,
			depth: 0
		});
		this.#throwRefused();
		const known = (name) => [name, names.get(name)];
		const outputs = new Map(graph.output.map(({ name }) => known(name)));
		if (outputs.size === 0) throw new TesseraeError("weights", "the ONNX model has no output");
		this.#refuseBatchSizes([...outputs.values()]);
		const { producerName, producerVersion } = this.#model;
		const producer = [producerName, producerVersion].filter(Boolean).join(" ");
		return {
			image,
			layout,
			outputs,
			named: new Map((this.#options.names ?? []).map(known)),
			parameters,
			constants: this.#constants,
			producer,
			opset,
			nodes: this.#nodes
		};
	}
	#parameters({ input: inputs }, names) {
		if (!this.#options.skeleton) return [];
		return inputs.filter(({ name }) => name !== "image" && !names.find(name)).map((info) => {
			const { dims, dtype } = sizesOf(info);
			const t = input(info.name, dtype, dims);
			names.set(info.name, t);
			return t;
		});
	}
	/** The size of the batch may shape tensors, but what is calculated with it would differ from batch to batch. */
	#refuseBatchSizes(outputs) {
		if (nodesOf(outputs).find((n) => n.op === "Constant" && !this.#constants.has(n.outputs[0]) && constantValue(n).data.some(isSymbolic))) throw new TesseraeError("model", "calculates with the size of its batch");
	}
	#initializers(list, names) {
		for (const t of list) names.set(t.name, this.#constant(t, t.name));
	}
	#constant(proto, name) {
		const t = constantData(single(tensorOf(proto, this.#options.files)));
		this.#constants.set(t, name);
		return t;
	}
	/** Operators that no adapter reads, wherever they stand, found before any work. */
	#refuseUnknown(nodes, seen = /* @__PURE__ */ new Set()) {
		for (const node of nodes) {
			const called = this.#functions.get(`${node.domain}:${node.opType}`);
			if (!called && node.opType !== "If" && !adapterOf(node.domain, node.opType)) this.#refuse(node.domain ? `${node.domain}.${node.opType}` : node.opType, node);
			if (!called || seen.has(called) || seen.size > LIMITS.functions) continue;
			seen.add(called);
			this.#refuseUnknown(called.node, seen);
		}
	}
	#refuse(what, node) {
		const known = this.#refused.get(what);
		if (known) known.count++;
		else this.#refused.set(what, {
			count: 1,
			node: node.name || node.output[0] || "?"
		});
	}
	#throwRefused() {
		if (this.#refused.size === 0) return;
		const all = [...this.#refused];
		const list = all.slice(0, 8).map(([what, { count, node }]) => `${count} × ${what} (first at ${show(node)})`);
		const rest = all.length > 8 ? ` and ${all.length - 8} more kinds` : "";
		const quantized = all.some(([what]) => /Quantize|QLinear|Integer/.test(what));
		throw new TesseraeError("model", `holds what cannot be trained here: ${list.join("; ")}${rest}`, { hint: quantized ? "The file is quantized: import the model it was made from" : void 0 });
	}
	#list(nodes, context) {
		if (context.depth > LIMITS.depth) throw new TesseraeError("weights", `graphs lie deeper than ${LIMITS.depth} levels`);
		for (const node of nodes) {
			if (++this.#nodes > LIMITS.nodes) throw new TesseraeError("weights", `holds more than ${LIMITS.nodes} nodes`);
			const values = this.#node(node, context);
			node.output.forEach((name, i) => {
				if (name !== "" && values) context.names.set(name, values[i] ?? LOST);
				else context.names.set(name, LOST);
			});
		}
	}
	/** A node's outputs; undefined where it, or what it reads, was refused. */
	#node(node, context) {
		const operands = node.input.map((name) => name === "" ? void 0 : context.names.get(name));
		if (operands.includes(LOST)) return void 0;
		const x = operands;
		const attributes = node.attribute.map((a) => settled(a, context.given)).filter((a) => a !== void 0);
		const called = this.#functions.get(`${node.domain}:${node.opType}`);
		try {
			if (called && !adapterOf(node.domain, node.opType)) return this.#call(called, x, attributes, context.depth);
			if (node.opType === "If") return this.#if(node, x, context);
			const value = attributes.find((a) => a.name === "value")?.t;
			if (node.opType === "Constant" && value) return [this.#constant(value, node.output[0])];
			return this.#apply(node, x, attributes, context.opset);
		} catch (error) {
			if (error instanceof Refusal) this.#refuse(error.message, node);
			else throw located(error, node);
			return;
		}
	}
	#apply(node, x, attributes, opset) {
		const adapter = adapterOf(node.domain, node.opType);
		if (!adapter) throw new Refusal(node.opType);
		const call = new Call({
			op: node.opType,
			opset,
			attributes,
			outputs: node.output.length,
			hard: this.#hard
		}, x);
		const result = withScope(scopeOf(node.name), () => adapter(call));
		return this.#folder.fold(Array.isArray(result) ? result : [result], x);
	}
	/** A branch taken when the model is read; one that is chosen as it runs is refused. */
	#if(node, [condition], { names, opset, depth }) {
		if (!isConstant(condition)) throw new Refusal("If whose condition depends on the image");
		const taken = scalarOf(condition) ? "then_branch" : "else_branch";
		const branch = node.attribute.find((a) => a.name === taken)?.g;
		if (!branch) throw new TesseraeError("weights", `If lacks its ${taken}`);
		this.#refuseUnknown(branch.node);
		const inner = new Names(names);
		this.#initializers(branch.initializer, inner);
		this.#list(branch.node, {
			names: inner,
			opset,
			depth: depth + 1
		});
		return branch.output.map(({ name }) => inner.get(name));
	}
	/** A function of the file, read in the place of its call. */
	#call(called, x, attributes, depth) {
		const names = new Names();
		called.input.forEach((name, i) => {
			const t = x[i];
			if (t) names.set(name, t);
		});
		const given = new Map([...called.attributeProto, ...attributes].map((a) => [a.name, a]));
		const opset = called.opsetImport.find((o) => isStandard(o.domain))?.version;
		this.#list(called.node, {
			names,
			opset: Number(opset ?? opsetOf(this.#model)),
			depth: depth + 1,
			given
		});
		return called.output.map((name) => names.get(name));
	}
};
const isStandard = (domain) => domain === "" || domain === "ai.onnx";
const opsetOf = (model) => Number(model.opsetImport.find((o) => isStandard(o.domain))?.version ?? 1n);
/** An attribute of a function's node that refers to one of its call. */
function settled(a, given) {
	if (!a.refAttrName) return a;
	const value = given?.get(a.refAttrName);
	return value && {
		...value,
		name: a.name
	};
}
const show = (name) => JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
/** Names of nodes are paths in most files: a node's scope is its folder, for messages only. */
const scopeOf = (name) => {
	const at = name.lastIndexOf("/");
	const scope = at > 0 && at < 200 ? name.slice(0, at).replace(/^\/+/, "") : "";
	return scope === "main" ? "" : scope;
};
function located(error, node) {
	if (!(error instanceof TesseraeError) || error.where) return error;
	return new TesseraeError(error.code === "internal" || error.code === "shape" ? "model" : error.code, error.message, {
		where: `${node.opType} ${show(node.name || node.output[0] || "?")}`,
		cause: error
	});
}
//#endregion
//#region src/onnx/recognise.ts
/**
* Finds layer norms and GELUs that a file writes out in elementary operators, by their structure, so that they train by
* the rules of one operator each.
*/
const recognise = (program) => rewrite(program, (node, inputs) => {
	const found = RULES[node.op]?.(node, inputs);
	return found && [found];
});
const RULES = {
	Div: (_node, [a, b]) => standardized(a, b.node.op === "Sqrt" ? b.node.inputs[0] : void 0),
	Mul: (_node, [a, b]) => gelu(a, b) ?? standardized(a, rootOf(b)) ?? standardized(b, rootOf(a)) ?? scaled$2(a, b) ?? scaled$2(b, a),
	Add: (_node, [a, b]) => shifted(a, b) ?? shifted(b, a)
};
const near = (v, to) => v !== void 0 && Math.abs(v - to) < 1e-4 * Math.abs(to);
/** v of 1/√v. */
function rootOf({ node }) {
	if (node.op !== "Reciprocal") return void 0;
	const root = node.inputs[0].node;
	return root.op === "Sqrt" ? root.inputs[0] : void 0;
}
/** A binary operator's operands where one is a scalar: [the other, the scalar]. */
function withScalar({ node }, op) {
	if (node.op !== op) return void 0;
	const [a, b] = node.inputs;
	const [va, vb] = [scalarOf(a), scalarOf(b)];
	if (vb !== void 0) return [a, vb];
	return va !== void 0 && op !== "Div" && op !== "Sub" ? [b, va] : void 0;
}
function gelu(a, b) {
	const factors = [...factorsOf(a), ...factorsOf(b)];
	if (factors.length !== 3) return void 0;
	const half = factors.find((t) => near(scalarOf(t), .5));
	const rest = factors.filter((t) => t !== half);
	if (!half || rest.length !== 2) return void 0;
	const [p, q] = rest;
	if (argumentOfPhi(p) === q) return q.gelu();
	return argumentOfPhi(q) === p ? p.gelu() : void 0;
}
/** Factors of a product of products, two levels deep. */
const factorsOf = (t) => t.node.op === "Mul" ? t.node.inputs : [t];
/** x of 1 + erf(x / √2). */
function argumentOfPhi(t) {
	const sum = withScalar(t, "Add");
	if (sum?.[1] !== 1 || sum[0].node.op !== "Erf") return void 0;
	const inner = sum[0].node.inputs[0];
	const quotient = withScalar(inner, "Div");
	if (quotient && near(quotient[1], Math.SQRT2)) return quotient[0];
	const product = withScalar(inner, "Mul");
	return product && near(product[1], Math.SQRT1_2) ? product[0] : void 0;
}
/** The norm without scale and bias, where `centred` is x - mean(x) and `sum` the variance with ε. */
function standardized(centred, sum) {
	const about = centredAbout(centred);
	const variance = sum && withScalar(sum, "Add");
	if (!about || !variance || variance[1] <= 0) return void 0;
	const { op, inputs, attrs } = variance[0].node;
	const square = inputs[0]?.node;
	if (op !== "ReduceMean" || square?.op !== "Mul" || `${attrs.axes}` !== `${about.axes}` || !attrs.keepdims) return void 0;
	const [p, q] = square.inputs;
	const other = centredAbout(p);
	if (p !== q || other?.x !== about.x || `${other.axes}` !== `${about.axes}`) return void 0;
	const axis = about.axes[0];
	const shape = about.x.shape.slice(axis);
	const ones = constant(1).expand(shape);
	return apply("LayerNormalization", [about.x, ones], {
		axis,
		epsilon: variance[1]
	});
}
/** x and the trailing axes of x - mean(x). */
function centredAbout({ node }) {
	if (node.op !== "Sub") return void 0;
	const [x, mean] = node.inputs;
	const axes = mean.node.attrs.axes;
	const trailing = axes?.every((a, i) => a === x.rank - axes.length + i);
	if (mean.node.op !== "ReduceMean" || mean.node.inputs[0] !== x || !axes || !trailing || !mean.node.attrs.keepdims) return void 0;
	return {
		x,
		axes
	};
}
const isOnes = (t) => t.node.op === "Expand" && scalarOf(t.node.inputs[0]) === 1 && t.node.inputs[0].size === 1;
/** A norm of scale one, multiplied by a tensor of its width: that is its scale. */
function scaled$2(y, scale) {
	const { op, inputs, attrs } = y.node;
	if (op !== "LayerNormalization" || y.index !== 0 || inputs.length !== 2 || !isOnes(inputs[1])) return void 0;
	const width = inputs[1].shape;
	return sameShape(scale.shape, width) && isWeight(scale) ? apply(op, [inputs[0], scale], attrs) : void 0;
}
function shifted(y, bias) {
	const { op, inputs, attrs } = y.node;
	if (op !== "LayerNormalization" || y.index !== 0 || inputs.length !== 2) return void 0;
	const width = inputs[1].shape;
	return sameShape(bias.shape, width) && isWeight(bias) ? apply(op, [...inputs, bias], attrs) : void 0;
}
/** A tensor that is the same for every image: no size of it is the batch's, and it is a constant of several values. */
const isWeight = (t) => t.node.op === "Input" || t.node.op === "Constant" && constantValue(t.node).data.length > 0;
//#endregion
//#region src/nn/linear.ts
/** x [..., in] · Wᵀ + b with W [out, in]. */
function dense(x, weight, bias) {
	const [out, width] = weight.shape;
	return x.reshape([x.size / width, width]).gemm(weight, bias, { transB: 1 }).reshape([...x.shape.slice(0, -1), out]);
}
const linear = (width, out, { bias = true, weightInit, biasInit, decay } = {}) => module({
	weight: parameter([out, width], weightInit ?? defaultWeight, { decay }),
	bias: bias ? parameter([out], biasInit ?? defaultBias(width)) : void 0
}, (m, x) => dense(x, m.weight, m.bias));
/**
* One weight [parts · out, in] used as `parts` separate projections, so that queries, keys and values come from
* three products and nothing as large as an activation is split or joined.
*/
const splitLinear = (width, out, parts, { bias = true, weightInit, biasInit } = {}) => module({
	weight: parameter([parts * out, width], weightInit ?? defaultWeight),
	bias: bias ? parameter([parts * out], biasInit ?? defaultBias(width)) : void 0
}, (m, x) => {
	const biases = m.bias?.split(parts, 0);
	return m.weight.split(parts, 0).map((w, i) => dense(x, w, biases?.[i]));
});
//#endregion
//#region src/onnx/replay.ts
/** Computes a graph of a free batch again, over other tensors and at another batch. */
function replay(outputs, { given, batch, statistics }) {
	const image = new Map(given);
	const known = new Set([...given.keys()].map((t) => t.node));
	for (const node of upTo(outputs, known)) {
		if (known.has(node)) continue;
		if (node.op === "Constant") {
			image.set(node.outputs[0], node.outputs[0]);
			continue;
		}
		const inputs = node.inputs.map((t) => t && image.get(t));
		const made = withScope(node.scope, () => again(node, inputs, batch, statistics));
		node.outputs.forEach((t, i) => {
			if (!image.has(t)) image.set(t, made[i]);
		});
	}
	return outputs.map((t) => image.get(t));
}
/** Nodes that the outputs need beyond what is known, inputs first. */
function upTo(outputs, known) {
	const seen = /* @__PURE__ */ new Set();
	const stack = outputs.map((t) => t.node);
	while (stack.length > 0) {
		const node = stack.pop();
		if (seen.has(node) || known.has(node)) continue;
		seen.add(node);
		for (const t of node.inputs) if (t) stack.push(t.node);
	}
	return [...seen].sort((a, b) => a.id - b.id);
}
function again(node, inputs, batch, statistics) {
	if (node.op === "BatchNormalization" && [3, 4].every((i) => statistics.has(node.inputs[i])) && isTraining() && !trace().isFrozen(inputs[3])) {
		const [x, weight, bias, mean, variance] = inputs;
		const { epsilon, momentum } = node.attrs;
		return [batchNormInTraining(x, {
			weight,
			bias,
			running: {
				mean,
				variance
			},
			epsilon,
			momentum: 1 - momentum
		})];
	}
	return applyAll(node.op, inputs, resized(node, batch));
}
/** Sizes of k·N as numbers. */
function resized({ op, attrs }, batch) {
	if (op !== "Reshape" && op !== "Expand") return attrs;
	return {
		...attrs,
		shape: attrs.shape.map((d) => d < 0 ? -d * batch : d)
	};
}
//#endregion
//#region src/models/model.ts
const IMAGENET_MEAN = [
	.485,
	.456,
	.406
];
const IMAGENET_STD = [
	.229,
	.224,
	.225
];
/** Inception's mean and deviation of 0.5, which ViT's own training used. */
const HALF = [
	.5,
	.5,
	.5
];
/** Builds a network from its children and its parts. */
function network(children, parts) {
	return {
		forward: module(children, (m, x) => parts.head(m, parts.features(m, x))),
		features: module(children, parts.features),
		head: module(children, parts.head),
		pyramid: module(children, parts.pyramid),
		featureInfo: parts.featureInfo
	};
}
/** Ties a family's builder to its variants. */
function family(definition) {
	const { paper, build, stage } = definition;
	const variants = Object.entries(definition.variants).map(([name, { preprocessing, ...options }]) => [name, {
		paper,
		defaults: {
			...definition.defaults,
			...options
		},
		preprocessing: {
			...definition.preprocessing,
			...preprocessing
		},
		build,
		stage
	}]);
	return {
		paper,
		variants: Object.fromEntries(variants)
	};
}
function instantiate(name, variant, options) {
	checkOptions(name, variant, options);
	const given = Object.entries(options).filter(([, v]) => v !== void 0);
	const settled = {
		...variant.defaults,
		...Object.fromEntries(given)
	};
	const net = variant.build(settled);
	const [height, width] = typeof settled.img_size === "number" ? [settled.img_size, settled.img_size] : settled.img_size;
	return {
		...net,
		name,
		options: settled,
		preprocessing: variant.preprocessing,
		paper: variant.paper,
		inputShape: [
			settled.in_chans,
			height,
			width
		],
		numClasses: settled.num_classes,
		slots: slotsOf(net.forward),
		stage: variant.stage && ((index) => variant.stage?.(settled, index) ?? {})
	};
}
const POSITIVE = [
	"img_size",
	"in_chans",
	"patch_size",
	"embed_dim",
	"depth",
	"num_heads"
];
const POOLS = [
	"token",
	"avg",
	"max",
	""
];
function checkOptions(name, { defaults }, options) {
	const usage = (what, hint) => new TesseraeError("usage", what, {
		where: name,
		hint
	});
	for (const [key, value] of Object.entries(options)) {
		if (value === void 0) continue;
		if (!Object.hasOwn(defaults, key)) throw usage(`has no option ${key}`, `It has ${Object.keys(defaults).join(", ")}`);
		if (value !== null && typeof defaults[key] === "number" && typeof value !== "number" && !Array.isArray(value)) throw usage(`option ${key} takes a number, not ${JSON.stringify(value)}`);
		const numbers = [value].flat().filter((v) => typeof v === "number");
		if (POSITIVE.includes(key) && numbers.some((v) => !Number.isInteger(v) || v < 1)) throw usage(`option ${key} takes a positive whole number, not ${JSON.stringify(value)}`);
		if (key === "num_classes" && numbers.some((v) => !Number.isInteger(v) || v < 0)) throw usage(`option num_classes takes a whole number of at least 0, not ${JSON.stringify(value)}`);
		if (key.endsWith("_rate") && numbers.some((v) => !(v >= 0 && v < 1))) throw usage(`option ${key} takes a rate in [0, 1), not ${JSON.stringify(value)}`);
		if (key === "global_pool" && !POOLS.includes(value)) throw usage(`option global_pool is token, avg, max or empty, not ${JSON.stringify(value)}`);
	}
}
/** Drop-path rates growing linearly from 0 to `last` over the blocks. */
const linearRates = (last, depth) => Array.from({ length: depth }, (_, i) => depth > 1 ? last * i / (depth - 1) : last);
//#endregion
//#region src/models/imported.ts
/** Name of every model that came from a file; its options hold its graph. */
const IMPORTED = "onnx";
/** What preprocessing is taken to be where nobody says: ImageNet's. */
const ASSUMED = {
	mean: IMAGENET_MEAN,
	std: IMAGENET_STD,
	interpolation: "bilinear",
	crop_pct: .875
};
const ROLES_KEY = "roles";
function readSkeleton(text) {
	const bytes = fromBase64(text);
	const roles = JSON.parse(readMetadata(bytes).get(ROLES_KEY) ?? "{}");
	const read = readOnnx(bytes, { skeleton: true });
	const { outputs } = recognise(program(IMPORTED, read.outputs));
	const inputs = new Map(read.parameters.map((t) => [t.node.attrs.name, t]));
	const slots = Object.entries(roles).flatMap(([name, role]) => {
		const tensor = inputs.get(name);
		return tensor ? [[name, {
			tensor,
			role
		}]] : [];
	});
	return {
		image: read.image,
		logits: outputs.get("logits"),
		features: outputs.get("features"),
		slots: new Map(slots)
	};
}
/**
* The model of an imported graph. Another number of classes replaces the last layer by a new one, "head.weight" and
* "head.bias"; 0 gives the features. Throws TesseraeError("usage" | "model").
*/
function importedModel(given) {
	const options = checked(given);
	const skeleton = readSkeletonOnce(options.graph);
	const [, channels, height, width] = skeleton.image.shape;
	const net = networkOf(skeleton, options.num_classes);
	const size = [height, width];
	if (`${typeof options.img_size === "number" ? [options.img_size, options.img_size] : options.img_size}` !== `${size}` || options.in_chans !== channels) throw new TesseraeError("usage", `an imported model keeps its input of [${channels}, ${size}]`);
	return {
		...net,
		name: IMPORTED,
		options,
		preprocessing: ASSUMED,
		paper: "an ONNX file",
		inputShape: [
			channels,
			height,
			width
		],
		numClasses: options.num_classes,
		slots: slotsOf(net.forward)
	};
}
function checked(given) {
	const { graph, file_classes, num_classes = file_classes, img_size, in_chans } = given;
	if (typeof graph !== "string" || typeof file_classes !== "number") throw new TesseraeError("usage", `the model ${IMPORTED} is made by importOnnx, from a file`);
	for (const key of ["drop_rate", "drop_path_rate"]) if (given[key]) throw new TesseraeError("usage", `an imported model takes no ${key}`);
	if (!Number.isInteger(num_classes) || num_classes < 0) throw new TesseraeError("usage", `option num_classes takes a whole number of at least 0, not ${num_classes}`);
	return {
		num_classes,
		img_size,
		in_chans,
		global_pool: "",
		drop_rate: 0,
		drop_path_rate: 0,
		file_classes,
		graph
	};
}
/** Models are built often (for a checkpoint, an export, an evaluation), skeletons are read once. */
const skeletons = /* @__PURE__ */ new Map();
function readSkeletonOnce(text) {
	let skeleton = skeletons.get(text);
	if (!skeleton) {
		skeleton = readSkeleton(text);
		skeletons.clear();
		skeletons.set(text, skeleton);
	}
	return skeleton;
}
function networkOf(skeleton, classes) {
	const { image, logits, features } = skeleton;
	const statistics = new Set([...skeleton.slots.values()].filter((s) => isStatistic(s.role)).map((s) => s.tensor));
	const run = (m, wanted, from, x) => {
		const given = new Map([[from, x]]);
		for (const [name, { tensor }] of skeleton.slots) if (from !== tensor && name in m) given.set(tensor, m[name]);
		return replay([wanted], {
			given,
			batch: x.shape[0],
			statistics
		})[0];
	};
	const slotsUpTo = (wanted, from) => slotsFor(skeleton, wanted, from);
	const rest = {
		pyramid: fn((_x) => []),
		featureInfo: []
	};
	const own = slotsUpTo(features ?? logits);
	if (classes === logits.shape[1]) {
		const all = slotsUpTo(logits);
		const head = features ? slotsUpTo(logits, features) : {};
		return {
			forward: module(all, (m, x) => run(m, logits, image, x)),
			features: module(own, (m, x) => run(m, features ?? logits, image, x)),
			head: module(head, (m, x) => features ? run(m, logits, features, x) : x),
			...rest
		};
	}
	if (!features) throw new TesseraeError("model", "the file does not end in a linear layer, so its classes cannot be changed", { hint: "Name the tensor that holds its features (option features)" });
	const body = module(own, (m, x) => run(m, features, image, x));
	if (classes === 0) return {
		forward: body,
		features: body,
		head: fn((x) => x),
		...rest
	};
	const key = headName(own);
	const layer = linear(features.shape[1], classes);
	const children = {
		...own,
		[key]: layer
	};
	const classify = (m, x) => m[key](x);
	return {
		forward: module(children, (m, x) => classify(m, run(m, features, image, x))),
		features: body,
		head: module({ [key]: layer }, (m, x) => classify(m, x)),
		...rest
	};
}
const isStatistic = (role) => role === "mean" || role === "variance";
/** A name for the new head that no other slot has. */
function headName(own) {
	for (let i = 0;; i++) {
		const name = i === 0 ? "head" : `head_${i}`;
		if (!Object.keys(own).some((key) => key === name || key.startsWith(`${name}.`))) return name;
	}
}
/** Slots that a tensor depends on, when it is computed from another. */
function slotsFor({ slots, image }, wanted, from = image) {
	const reached = /* @__PURE__ */ new Set();
	const seen = new Set([from.node]);
	const stack = [wanted];
	for (let t = stack.pop(); t; t = stack.pop()) {
		reached.add(t);
		if (seen.has(t.node)) continue;
		seen.add(t.node);
		for (const x of t.node.inputs) if (x) stack.push(x);
	}
	return Object.fromEntries([...slots].flatMap(([name, { tensor, role }]) => reached.has(tensor) ? [[name, slotOf(tensor, role)]] : []));
}
function slotOf({ shape, dtype }, role) {
	if (role === "buffer" || isStatistic(role)) return buffer(shape, role === "variance" ? ones : zeros, dtype);
	return parameter(shape, role === "scale" ? ones : role === "weight" && shape.length > 1 ? defaultWeight : zeros, { decay: role === "weight" && shape.length > 1 });
}
function fromBase64(text) {
	try {
		return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
	} catch (cause) {
		throw new TesseraeError("weights", "the graph of an imported model is broken", { cause });
	}
}
//#endregion
//#region src/nearest.ts
/** Levenshtein distance. */
function editDistance(a, b) {
	let row = Array.from({ length: b.length + 1 }, (_, j) => j);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
		row = next;
	}
	return row[b.length];
}
/** Up to `count` known names close enough to a mistyped one to be worth suggesting. */
function nearest(name, known, count = 3) {
	const limit = Math.max(2, Math.ceil(name.length * .4));
	return [...known].map((k) => [k.includes(name) && name.length > 2 ? 1 : editDistance(name, k), k]).filter(([d]) => d <= limit).sort(([a], [b]) => a - b).slice(0, count).map(([, k]) => k);
}
//#endregion
//#region src/nn/size.ts
const pair = (size) => typeof size === "number" ? [size, size] : size;
//#endregion
//#region src/nn/conv.ts
/** TensorFlow's "same" padding of one axis, before and after: the odd pixel goes behind. */
function samePadding(size, kernel, stride, dilation = 1) {
	const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size);
	return [Math.floor(total / 2), total - Math.floor(total / 2)];
}
/** ONNX pads [top, left, bottom, right] of an image [.., H, W]. */
function padsFor(x, kernel, stride, padding, dilation = 1) {
	if (padding === "same") {
		const [top, bottom] = samePadding(x.shape[2], kernel[0], stride[0], dilation);
		const [left, right] = samePadding(x.shape[3], kernel[1], stride[1], dilation);
		return [
			top,
			left,
			bottom,
			right
		];
	}
	const [y, z] = pair(padding ?? [Math.floor(dilation * (kernel[0] - 1) / 2), Math.floor(dilation * (kernel[1] - 1) / 2)]);
	return [
		y,
		z,
		y,
		z
	];
}
/** Convolution of [N, in, H, W], weight [out, in / groups, kH, kW]. */
const conv2d = (inChans, out, kernel, options = {}) => {
	const { stride = 1, padding, dilation = 1, groups = 1, bias = true, weightInit, biasInit } = options;
	const [k, s] = [pair(kernel), pair(stride)];
	const fanIn = inChans / groups * k[0] * k[1];
	return module({
		weight: parameter([
			out,
			inChans / groups,
			...k
		], weightInit ?? defaultWeight),
		bias: bias ? parameter([out], biasInit ?? defaultBias(fanIn)) : void 0
	}, (m, x) => convolve(x, m.weight, m.bias, {
		stride: s,
		padding,
		dilation,
		groups
	}));
};
/** The convolution itself, for layers that compute their weights (weight standardisation). */
function convolve(x, weight, bias, { stride = 1, padding, dilation = 1, groups = 1 }) {
	const kernel = [weight.shape[2], weight.shape[3]];
	const strides = pair(stride);
	return x.conv(weight, bias, {
		strides,
		pads: padsFor(x, kernel, strides, padding, dilation),
		dilations: [dilation, dilation],
		group: groups
	});
}
//#endregion
//#region src/nn/drop.ts
/** Keeps each entry with probability 1 - rate and scales by 1 / (1 - rate); identity in evaluation. */
const masked = (x, shape, rate) => rate === 0 || !trace().training ? x : x.mul(trace().noise(shape).greaterOrEqual(rate).cast(x.dtype).mul(1 / (1 - rate)));
/** Dropout (Srivastava et al. 2014). */
const dropout = (rate) => fn((x) => masked(x, x.shape, rate));
/** Drop path, stochastic depth by sample (Huang et al. 2016). */
const dropPath = (rate) => fn((x) => masked(x, x.shape.map((d, i) => i === 0 ? d : 1), rate));
//#endregion
//#region src/nn/global-pool.ts
/**
* [N, C, H, W] to [N, C]: mean or largest of each map; "" leaves the maps. Throws TesseraeError("usage") for a pool
* that feature maps do not have, and for a classifier of `classes` after no pooling.
*/
function globalPool(kind = "avg", classes = 0) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	if (kind === "" && classes > 0) throw usage("without pooling there is no classifier", "Set num_classes=0, or global_pool=avg");
	if (kind !== "avg" && kind !== "max" && kind !== "") throw usage(`feature maps are not pooled by ${JSON.stringify(kind)}`, "Set global_pool to avg, max or none at all");
	return fn((x) => {
		if (kind === "") return x;
		if (kind === "avg") return x.mean([2, 3]);
		return x.maxPool({ kernel_shape: x.shape.slice(2) }).reshape(x.shape.slice(0, 2));
	});
}
//#endregion
//#region src/nn/activation.ts
/** Activations by timm's names. */
const activations$1 = {
	gelu: (x) => x.gelu(),
	gelu_tanh: (x) => x.geluTanh(),
	relu: (x) => x.relu(),
	relu6: (x) => x.clip(0, 6),
	silu: (x) => x.silu(),
	sigmoid: (x) => x.sigmoid(),
	tanh: (x) => x.tanh(),
	hard_swish: (x) => x.hardSwish(),
	hard_sigmoid: (x) => x.hardSigmoid(),
	identity: (x) => x
};
function activation(name) {
	const f = activations$1[name];
	if (!f) throw new TesseraeError("usage", `unknown activation ${name}`, { hint: `Known: ${Object.keys(activations$1).join(", ")}` });
	return f;
}
//#endregion
//#region src/nn/sequential.ts
/** One layer after another; children are named 0, 1, 2... as in PyTorch. */
const sequential = (...layers) => module(Object.fromEntries(layers.map((layer, i) => [i, layer])), (m, x) => {
	for (let i = 0; i < layers.length; i++) x = m[i](x);
	return x;
});
/** fn(x) + x; without the skip, fn(x) under the same name. */
const residual = (layer, skip = true) => module({ fn: layer }, (m, x) => skip ? m.fn(x).add(x) : m.fn(x));
/** An activation as a layer. */
const act = (name) => fn(activation(name));
//#endregion
//#region src/models/stages.ts
/** Checks options that hold one positive number a stage, whole unless named in `fractional`. */
function checkPerStage(options, stages, fractional = []) {
	for (const [key, value] of Object.entries(options)) {
		const fits = (v) => typeof v === "number" && v > 0 && (Number.isInteger(v) || fractional.includes(key));
		if (!Array.isArray(value) || value.length !== stages || !value.every(fits)) throw new TesseraeError("usage", `option ${key} takes ${stages} positive ${fractional.includes(key) ? "" : "whole "}numbers, one a stage, not ${JSON.stringify(value)}`);
	}
}
/** Throws TesseraeError("usage") naming the nearest size that fits, where an image is no multiple of `unit`. */
function checkMultiple(image, unit) {
	if (image.every((s) => s % unit === 0)) return;
	const nearest = image.map((s) => Math.max(1, Math.round(s / unit)) * unit);
	throw new TesseraeError("usage", `image size ${image.join("x")} is not a multiple of ${unit}`, { hint: `The nearest that fits is ${nearest.join("x")}` });
}
/** Drop-path rates that grow linearly over all blocks, by stage. */
function stageRates(last, depths) {
	const rates = linearRates(last, depths.reduce((a, b) => a + b, 0));
	let at = 0;
	return depths.map((depth) => rates.slice(at, at += depth));
}
//#endregion
//#region src/models/axial.ts
const EXPANSION$1 = 2;
const conv1x1 = (inChans, out, stride = 1) => conv2d(inChans, out, 1, {
	stride,
	bias: false,
	weightInit: kaimingNormalFanOut()
});
/** Entry i·L + j: the column of the table of offsets that query i and key j share, i - j + L - 1. */
const offsets = (length) => Array.from({ length: length * length }, (_, at) => Math.floor(at / length) - at % length + length - 1);
/** Per position: Σ_c t[b, g, c, i] · table[c, i, j], [B, G, C, L] and [C, L, L] to [B, G, L, L]. */
function byPosition(t, table) {
	const [b, g, c, length] = t.shape;
	return t.transpose([
		3,
		0,
		1,
		2
	]).reshape([
		length,
		b * g,
		c
	]).matmul(table.transpose([
		1,
		0,
		2
	])).reshape([
		length,
		b,
		g,
		length
	]).transpose([
		1,
		2,
		0,
		3
	]);
}
/** Σ_j probs[b, g, i, j] · table[c, i, j], [B, G, L, L] and [C, L, L] to [B, G, C, L]. */
function overKeys(probs, table) {
	const [b, g, length] = probs.shape;
	const rows = probs.transpose([
		2,
		0,
		1,
		3
	]).reshape([
		length,
		b * g,
		length
	]);
	const c = table.shape[0];
	return rows.matmul(table.transpose([
		1,
		2,
		0
	])).reshape([
		length,
		b,
		g,
		c
	]).transpose([
		1,
		2,
		3,
		0
	]);
}
/**
* Position-sensitive attention along one axis of length L (eq. 4): with learned encodings r of the offset for
* queries, keys and values,
*   y_i = Σ_j softmax_j(q_i·k_j + q_i·r^q_ij + k_j·r^k_ij) (v_j + r^v_ij).
* The authors normalise the three scores and the two sums by batch norm before they add them.
*/
const axialAttention = (dim, groups, length, axis) => {
	const each = dim / groups;
	const parts = [
		each / 2,
		each / 2,
		each
	];
	const [inward, outward] = axis === "height" ? [[
		0,
		4,
		1,
		2,
		3
	], [
		0,
		2,
		3,
		1
	]] : [[
		0,
		3,
		1,
		2,
		4
	], [
		0,
		2,
		1,
		3
	]];
	const index = offsets(length);
	return module({
		relative: parameter([2 * each, 2 * length - 1], normal(Math.sqrt(1 / each))),
		flatten_index: buffer([length * length], () => Float32Array.from(index), "int64"),
		qkv_transform: module({ weight: parameter([
			2 * dim,
			dim,
			1
		], normal(Math.sqrt(1 / dim))) }, (m, x) => x.conv(m.weight.unsqueeze(3))),
		bn_qkv: batchNorm$1(2 * dim),
		bn_similarity: batchNorm$1(3 * groups),
		bn_output: batchNorm$1(2 * dim)
	}, (m, x) => {
		const [n, , height, width] = x.shape;
		const lines = axis === "height" ? width : height;
		const [q, k, v] = m.bn_qkv(m.qkv_transform(x)).reshape([
			n,
			groups,
			2 * each,
			height,
			width
		]).transpose(inward).reshape([
			n * lines,
			groups,
			2 * each,
			length
		]).split(parts, 2);
		const [rq, rk, rv] = m.relative.gather(constant(index, [length * length], "int64"), 1).reshape([
			2 * each,
			length,
			length
		]).split(parts, 0);
		const scores = concat([
			q.mT().matmul(k),
			byPosition(q, rq),
			byPosition(k, rk).mT()
		], 1);
		const probs = tap("probs", m.bn_similarity(scores).reshape([
			n * lines,
			3,
			groups,
			length,
			length
		]).sum([1]).softmax());
		const sums = concat([v.matmul(probs.mT()), overKeys(probs, rv)], 3);
		return m.bn_output(sums.reshape([
			n * lines,
			2 * dim,
			length
		])).reshape([
			n * lines,
			dim,
			2,
			length
		]).sum([2]).reshape([
			n,
			lines,
			dim,
			length
		]).transpose(outward);
	});
};
/** Bottleneck whose 3 x 3 convolution is attention along the height, then along the width (figure 2). */
const block$8 = ({ inChans, planes, groups, grid, stride, dropPathRate }) => {
	const out = planes * EXPANSION$1;
	const shortcut = stride !== 1 || inChans !== out;
	return module({
		conv_down: conv1x1(inChans, planes),
		bn1: batchNorm$1(planes),
		hight_block: axialAttention(planes, groups, grid[0], "height"),
		width_block: axialAttention(planes, groups, grid[1], "width"),
		conv_up: conv1x1(planes, out),
		bn2: batchNorm$1(out, { weightInit: zeros }),
		drop_path: dropPath(dropPathRate),
		downsample: shortcut ? sequential(conv1x1(inChans, out, stride), batchNorm$1(out)) : void 0
	}, (m, x) => {
		let y = m.width_block(m.hight_block(m.bn1(m.conv_down(x)).relu()));
		if (stride > 1) y = y.avgPool({
			kernel_shape: [stride, stride],
			strides: [stride, stride]
		});
		y = m.drop_path(m.bn2(m.conv_up(y.relu())));
		return tap("out", y.add(m.downsample?.(x) ?? x).relu());
	});
};
/**
* Axial-ResNet: "Axial-DeepLab: Stand-Alone Axial-Attention for Panoptic Segmentation" (Wang et al. 2020, section 3
* and table 1), in the layout of the authors' code: a ResNet whose spatial convolutions after the stem are axial
* attention over the whole height and width.
*/
function axial(o) {
	check$12(o);
	const stem = Math.floor(64 * o.scale);
	const planes = [
		128,
		256,
		512,
		1024
	].map((width) => Math.floor(width * o.scale));
	const rates = stageRates(o.drop_path_rate, o.layers);
	/** Stage i: its first block takes the map of the stage before and halves it. */
	const stage = (i) => sequential(...rates[i].map((dropPathRate, j) => {
		const before = i === 0 ? stem : planes[i - 1] * EXPANSION$1;
		return block$8({
			inChans: j === 0 ? before : planes[i] * EXPANSION$1,
			planes: planes[i],
			groups: o.groups,
			grid: mapOf(o, j === 0 ? Math.max(0, i - 1) : i),
			stride: j === 0 && i > 0 ? 2 : 1,
			dropPathRate
		});
	}));
	const width = planes[3] * EXPANSION$1;
	return network({
		conv1: conv2d(o.in_chans, stem, 7, {
			stride: 2,
			bias: false,
			weightInit: kaimingNormalFanOut()
		}),
		bn1: batchNorm$1(stem),
		layer1: stage(0),
		layer2: stage(1),
		layer3: stage(2),
		layer4: stage(3),
		global_pool: globalPool(o.global_pool, o.num_classes),
		head_drop: dropout(o.drop_rate),
		fc: o.num_classes > 0 ? linear(width, o.num_classes) : identity()
	}, {
		features: (m, x) => m.layer4(m.layer3(m.layer2(m.layer1(maxPool(m.bn1(m.conv1(x)).relu()))))),
		head: (m, x) => m.fc(m.head_drop(m.global_pool(x))),
		pyramid: (m, x) => {
			x = maxPool(m.bn1(m.conv1(x)).relu());
			return [
				m.layer1,
				m.layer2,
				m.layer3,
				m.layer4
			].map((layer) => x = layer(x));
		},
		featureInfo: planes.map((p, i) => ({
			num_chs: p * EXPANSION$1,
			reduction: 4 * 2 ** i,
			module: `layer${i + 1}`
		}))
	});
}
/** Of stage i. */
const mapOf = (o, i) => {
	const [height, width] = pair(o.img_size);
	return [height / (4 * 2 ** i), width / (4 * 2 ** i)];
};
/** Height and width that attention spans: the first block works on the map before it is halved. */
function spanNote(o, i) {
	const maps = [mapOf(o, Math.max(0, i - 1)), ...o.layers[i] > 1 ? [mapOf(o, i)] : []];
	return { span: [...new Set(maps.map((map) => map.join("+")))].join(", ") };
}
const maxPool = (x) => x.maxPool({
	kernel_shape: [3, 3],
	strides: [2, 2],
	pads: [
		1,
		1,
		1,
		1
	]
});
function check$12(o) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	checkPerStage({ layers: o.layers }, 4);
	checkMultiple(pair(o.img_size), 32);
	const unit = 2 * o.groups;
	if (!Number.isInteger(o.groups) || o.groups < 1) throw usage(`option groups takes a positive whole number`);
	if (!(o.scale > 0) || 128 * o.scale % unit) throw usage(`a scale of ${o.scale} gives ${128 * o.scale} channels, not a multiple of ${unit}`, `Each of ${o.groups} heads needs an even number`);
}
var axial_default = family({
	paper: "Wang et al. 2020, Axial-DeepLab, arXiv:2003.07853",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		layers: [
			3,
			4,
			6,
			3
		],
		scale: 1,
		groups: 8
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bilinear",
		crop_pct: .875
	},
	build: axial,
	stage: spanNote,
	variants: {
		axial26s: {
			layers: [
				1,
				2,
				4,
				1
			],
			scale: .5
		},
		axial50s: { scale: .5 },
		axial50m: { scale: .75 },
		axial50l: {}
	}
});
//#endregion
//#region src/models/convmixer.ts
/**
* ConvMixer: "Patches Are All You Need?" (Trockman and Kolter 2022, figure 2, eqs. 1 to 3). An isotropic network:
* after the patches, resolution and width stay as they are.
*/
function convMixer(o) {
	check$11(o);
	const { dim } = o;
	const norm = () => o.norm === "batch" ? batchNorm$1(dim) : layerNorm2d(dim);
	const actNorm = (conv) => [
		conv,
		act(o.act),
		norm()
	];
	const block = () => sequential(residual(sequential(...actNorm(conv2d(dim, dim, o.kernel_size, {
		groups: dim,
		padding: "same"
	}))), o.residual), ...actNorm(conv2d(dim, dim, 1)));
	return network({
		stem: sequential(...actNorm(conv2d(o.in_chans, dim, o.patch_size, {
			stride: o.patch_size,
			padding: 0
		}))),
		blocks: Array.from({ length: o.depth }, block),
		global_pool: globalPool(o.global_pool, o.num_classes),
		head_drop: dropout(o.drop_rate),
		head: o.num_classes > 0 ? linear(dim, o.num_classes) : identity()
	}, {
		features: (m, x) => m.blocks.reduce((y, block, i) => tap(`blocks.${i}.out`, block(y)), m.stem(x)),
		head: (m, x) => m.head(m.head_drop(m.global_pool(x))),
		pyramid: (m, x) => {
			x = m.stem(x);
			return m.blocks.map((block) => {
				x = block(x);
				return x;
			});
		},
		featureInfo: Array.from({ length: o.depth }, (_, i) => ({
			num_chs: dim,
			reduction: o.patch_size,
			module: `blocks.${i}`
		}))
	});
}
function check$11(o) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	for (const key of [
		"dim",
		"depth",
		"kernel_size"
	]) if (!Number.isInteger(o[key]) || o[key] < 1) throw usage(`option ${key} takes a positive whole number, not ${JSON.stringify(o[key])}`);
	const image = pair(o.img_size);
	if (Math.min(...image) < o.patch_size) throw usage(`image size ${image.join("x")} is smaller than the patch ${o.patch_size}x${o.patch_size}`, `The nearest that fits is ${image.map((s) => Math.max(s, o.patch_size)).join("x")}`);
	if (o.norm !== "batch" && o.norm !== "layer") throw usage(`norm is batch or layer, not ${JSON.stringify(o.norm)}`);
	if (o.drop_path_rate > 0) throw usage("a ConvMixer has no drop path", "Leave drop_path_rate at 0");
}
var convmixer_default = family({
	paper: "Trockman and Kolter 2022, Patches Are All You Need?, arXiv:2201.09792",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		dim: 1536,
		depth: 20,
		kernel_size: 9,
		patch_size: 7,
		act: "gelu",
		norm: "batch",
		residual: true
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: .96
	},
	build: convMixer,
	variants: {
		convmixer_768_32: {
			dim: 768,
			depth: 32,
			kernel_size: 7,
			act: "relu"
		},
		convmixer_1024_20_ks9_p14: {
			dim: 1024,
			patch_size: 14
		},
		convmixer_1536_20: {},
		/** Any other: set dim, depth, kernel_size, patch_size and img_size. The paper's model for CIFAR-10 (table 4). */
		convmixer: {
			dim: 256,
			depth: 8,
			kernel_size: 5,
			patch_size: 2,
			img_size: 32,
			num_classes: 10
		}
	}
});
//#endregion
//#region src/nn/attention.ts
/** [N, L, heads·d] to [N, heads, L, d]. */
const splitHeads = (x, heads) => x.reshape([
	x.shape[0],
	x.shape[1],
	heads,
	x.shape[2] / heads
]).transpose([
	0,
	2,
	1,
	3
]);
/** [N, heads, L, d] to [N, L, heads·d]. */
const joinHeads = (x) => {
	const [n, heads, length, d] = x.shape;
	return x.transpose([
		0,
		2,
		1,
		3
	]).reshape([
		n,
		length,
		heads * d
	]);
};
/** softmax(q kᵀ + bias) v of [N, heads, L, d], with q scaled before. */
function attend(q, k, v, { bias, drop = (t) => t } = {}) {
	const scores = q.matmul(k.mT());
	return drop(tap("probs", (bias ? addByGroup(scores, bias) : scores).softmax())).matmul(v);
}
function addByGroup(scores, bias) {
	if (bias.rank < scores.rank) return scores.add(bias);
	return scores.reshape([scores.shape[0] / bias.shape[0], ...bias.shape]).add(bias).reshape(scores.shape);
}
/** Multi-head self-attention (Vaswani et al. 2017): softmax(q kᵀ / √d + bias) v, then a projection. */
const attention$1 = (dim, heads, options = {}) => {
	const { qkvBias = true, attnDrop = 0, projDrop = 0, weightInit, biasInit, scoreBias } = options;
	if (dim % heads) throw new TesseraeError("usage", `${heads} heads do not divide a width of ${dim}`);
	const scale = (dim / heads) ** -.5;
	return module({
		qkv: splitLinear(dim, dim, 3, {
			bias: qkvBias,
			weightInit,
			biasInit
		}),
		attn_drop: dropout(attnDrop),
		proj: linear(dim, dim, {
			weightInit,
			biasInit
		}),
		proj_drop: dropout(projDrop),
		rel_pos: scoreBias
	}, (m, x) => {
		const [q, k, v] = m.qkv(x).map((t) => splitHeads(t, heads));
		return m.proj_drop(m.proj(joinHeads(attend(q.mul(scale), k, v, {
			bias: m.rel_pos?.(),
			drop: m.attn_drop
		}))));
	});
};
//#endregion
//#region src/nn/layer-scale.ts
/**
* γ ⊙ x per channel of the last axis (Touvron et al. 2021, Going deeper with image transformers, eq. 4); nothing for
* an initial value of null.
*/
const layerScale = (dim, initial) => initial === null ? identity() : module({ gamma: parameter([dim], constantInit(initial)) }, (m, x) => x.mul(m.gamma));
//#endregion
//#region src/nn/mlp.ts
/** fc2(act(fc1(x))), with dropout after each. */
const mlp = (dim, hidden, { act = "gelu", drop = 0, weightInit, biasInit } = {}) => module({
	fc1: linear(dim, hidden, {
		weightInit,
		biasInit
	}),
	drop1: dropout(drop),
	fc2: linear(hidden, dim, {
		weightInit,
		biasInit
	}),
	drop2: dropout(drop)
}, (m, x) => m.drop2(m.fc2(m.drop1(activation(act)(m.fc1(x))))));
/**
* fc2(a ⊙ act(b)) with [a; b] = fc1(x) (Shazeer 2020, GLU variants): `hidden` counts both halves. The gate starts
* open: b's weights near zero, its bias one.
*/
const gluMlp = (dim, hidden, { act = "sigmoid", drop = 0, weightInit = defaultWeight, biasInit = zeros } = {}) => module({
	fc1: linear(dim, hidden, {
		weightInit: halves(weightInit, normal(1e-6)),
		biasInit: halves(biasInit, ones)
	}),
	drop1: dropout(drop),
	fc2: linear(hidden / 2, dim, {
		weightInit,
		biasInit
	}),
	drop2: dropout(drop)
}, (m, x) => {
	const [a, b] = m.fc1(x).split(2, -1);
	return m.drop2(m.fc2(m.drop1(a.mul(activation(act)(b)))));
});
/** One initialisation for the first half of the rows, another for the rest; fans are those of the whole. */
const halves = (first, second) => (shape, random) => {
	const values = first(shape, random);
	values.set(second([shape[0] / 2, ...shape.slice(1)], random), values.length / 2);
	return values;
};
//#endregion
//#region src/nn/patch-embed.ts
/** Patches per side; throws TesseraeError("usage") where the image is no whole number of patches. */
function patchGrid(image, patch) {
	if (image[0] % patch[0] || image[1] % patch[1]) throw new TesseraeError("usage", `image size ${image.join("x")} is not a multiple of the patch ${patch.join("x")}`, { hint: `The nearest that fits is ${image.map((s, i) => Math.max(1, Math.round(s / patch[i])) * patch[i]).join("x")}` });
	return [image[0] / patch[0], image[1] / patch[1]];
}
/** [N, C, H, W] to tokens [N, H/P · W/P, D]: the linear projection of flattened patches (ViT, eq. 1). */
const patchEmbed$1 = (inChans, dim, patch, options = {}) => module({ proj: conv2d(inChans, dim, patch, {
	...options,
	stride: patch,
	padding: 0
}) }, (m, x) => {
	const y = m.proj(x);
	return y.reshape([
		y.shape[0],
		dim,
		y.shape[2] * y.shape[3]
	]).transpose([
		0,
		2,
		1
	]);
});
/** The same with a norm of the flattened patch, by row, column and channel, before the projection and one after it. */
const normPatchEmbed = (inChans, dim, patch) => {
	const width = patch[0] * patch[1] * inChans;
	return module({
		norm_in: layerNorm$2(width, { epsilon: 1e-5 }),
		proj: linear(width, dim),
		norm_out: layerNorm$2(dim, { epsilon: 1e-5 })
	}, (m, x) => {
		const [n, c, height, columns] = x.shape;
		const [rows, cols] = [height / patch[0], columns / patch[1]];
		const tiles = x.reshape([
			n,
			c,
			rows,
			patch[0],
			cols,
			patch[1]
		]).transpose([
			0,
			2,
			4,
			3,
			5,
			1
		]);
		return m.norm_out(m.proj(m.norm_in(tiles.reshape([
			n,
			rows * cols,
			width
		]))));
	});
};
//#endregion
//#region src/nn/position.ts
/** Fixed sines and cosines of the token index, [1, length, dim] (Vaswani et al. 2017, section 3.5). */
function sinusoidalTable(length, dim) {
	const table = new Float64Array(length * dim);
	for (let p = 0; p < length; p++) for (let i = 0; i < dim; i++) {
		const angle = p / 1e4 ** (2 * Math.floor(i / 2) / dim);
		table[p * dim + i] = i % 2 ? Math.cos(angle) : Math.sin(angle);
	}
	return constant(table, [
		1,
		length,
		dim
	]);
}
/** A fixed table as a module. */
const sinusoidalPosition = (length, dim) => fn(() => sinusoidalTable(length, dim));
/**
* Learned 2-D table [1, H·W, D]: half of each embedding depends on the row, half on the column
* (ViT, appendix D.4).
*/
const gridPosition = ([height, width], dim) => module({
	y: parameter([
		height,
		1,
		dim / 2
	], truncNormal(.02)),
	x: parameter([
		1,
		width,
		dim / 2
	], truncNormal(.02))
}, (m) => {
	const shape = [
		height,
		width,
		dim / 2
	];
	return concat([m.y.expand(shape), m.x.expand(shape)], 2).reshape([
		1,
		height * width,
		dim
	]);
});
/** For each (query, key) pair of an H x W grid, the row of the table of offsets, [H·W · H·W]. */
function relativePositionIndex([height, width]) {
	const length = height * width;
	const index = new Int32Array(length * length);
	for (let q = 0; q < length; q++) for (let k = 0; k < length; k++) {
		const dy = Math.floor(q / width) - Math.floor(k / width) + height - 1;
		const dx = q % width - k % width + width - 1;
		index[q * length + k] = dy * (2 * width - 1) + dx;
	}
	return index;
}
const INDICES = /* @__PURE__ */ new Map();
/** The same as a constant [L · L], one for all the blocks that share a grid. */
function indexOf(grid) {
	const known = INDICES.get(`${grid}`);
	if (known) return known;
	const index = relativePositionIndex(grid);
	const made = constant(index, [index.length], "int64");
	INDICES.set(`${grid}`, made);
	return made;
}
/** A table of offsets [(2H-1)·(2W-1), heads] as biases of the scores, [heads, L, L]. */
function biasOfOffsets(table, grid) {
	const length = grid[0] * grid[1];
	return table.gather(indexOf(grid)).reshape([
		length,
		length,
		table.shape[1]
	]).transpose([
		2,
		0,
		1
	]);
}
/**
* Relative position bias [heads, L, L]: a learned B of (2H-1)·(2W-1) entries per head, indexed by the offset of
* query and key (Shaw et al. 2018; Swin, eq. 4). Prefix tokens (class, registers) get no bias.
*/
const relativePositionBias = (grid, heads, prefix = 0) => module({ relative_position_bias_table: parameter([(2 * grid[0] - 1) * (2 * grid[1] - 1), heads], truncNormal(.02), {
	decay: false,
	window: grid
}) }, (m) => biasOfOffsets(m.relative_position_bias_table, grid).pad([
	[0, 0],
	[prefix, 0],
	[prefix, 0]
]));
/** Row (q, k) of [length², 2·length - 1] picks the offset of key and query along one axis. */
function offsetLookup(length) {
	const offsets = 2 * length - 1;
	const rows = new Float64Array(length * length * offsets);
	for (let q = 0; q < length; q++) for (let k = 0; k < length; k++) rows[(q * length + k) * offsets + k - q + length - 1] = 1;
	return constant(rows, [length * length, offsets]);
}
/**
* The same as TensorFlow's MaxViT has it: heads first, indexed by the offset of key and query, and looked up along
* each axis by a product, whose gradient is a product again.
*/
const relativePositionBiasTf = ([height, width], heads) => module({ relative_position_bias_table: parameter([
	heads,
	2 * height - 1,
	2 * width - 1
], normal(.02), {
	decay: false,
	window: [height, width]
}) }, (m) => {
	return offsetLookup(height).matmul(m.relative_position_bias_table).matmul(offsetLookup(width).mT()).reshape([
		heads,
		height,
		height,
		width,
		width
	]).transpose([
		0,
		1,
		3,
		2,
		4
	]).reshape([
		heads,
		height * width,
		height * width
	]);
});
/** f of the offset along each axis, for every offset of an H x W grid: [(2H-1)·(2W-1), 2]. */
function offsetTable([height, width], f) {
	const values = [];
	for (let y = 1 - height; y < height; y++) for (let x = 1 - width; x < width; x++) values.push(f(y, height), f(x, width));
	return constant(values, [(2 * height - 1) * (2 * width - 1), 2]);
}
//#endregion
//#region src/models/vit.ts
const weights$5 = {
	weightInit: truncNormal(.02),
	biasInit: zeros
};
/** Pre-norm block (eqs. 2 and 3): x + attn(norm(x)), then x + mlp(norm(x)). */
const block$7 = (o, dropPathRate, scoreBias) => module({
	norm1: layerNorm$2(o.embed_dim, { epsilon: o.norm_eps }),
	attn: attention$1(o.embed_dim, o.num_heads, {
		qkvBias: o.qkv_bias,
		attnDrop: o.attn_drop_rate,
		projDrop: o.proj_drop_rate,
		scoreBias,
		...weights$5
	}),
	ls1: layerScale(o.embed_dim, o.init_values),
	drop_path1: dropPath(dropPathRate),
	norm2: layerNorm$2(o.embed_dim, { epsilon: o.norm_eps }),
	mlp: mlp(o.embed_dim, Math.floor(o.embed_dim * o.mlp_ratio), {
		drop: o.proj_drop_rate,
		...weights$5
	}),
	ls2: layerScale(o.embed_dim, o.init_values),
	drop_path2: dropPath(dropPathRate)
}, (m, x) => {
	x = x.add(m.drop_path1(m.ls1(m.attn(m.norm1(x)))));
	return tap("out", x.add(m.drop_path2(m.ls2(m.mlp(m.norm2(x))))));
});
/** The learned, fixed or absent table that is added to the tokens. */
function positionSlots(o, grid, prefix) {
	const places = {
		size: grid,
		prefix: o.no_embed_class ? 0 : prefix
	};
	const length = grid[0] * grid[1] + places.prefix;
	const table = () => parameter([
		1,
		length,
		o.embed_dim
	], truncNormal(.02), {
		decay: false,
		grid: places
	});
	return {
		pos_embed: o.pos_embed === "learn" ? table() : void 0,
		pos_grid: o.pos_embed === "2d" ? gridPosition(grid, o.embed_dim) : void 0,
		pos_fixed: o.pos_embed === "sinusoidal" ? sinusoidalPosition(length, o.embed_dim) : void 0
	};
}
/**
* Vision Transformer: "An Image is Worth 16x16 Words" (Dosovitskiy et al. 2021, figure 1 and table 1), with
* DINOv2's layer scale and registers (Darcet et al. 2024).
*/
function vit(o, { tokens = patchesOf(o), distilled = false } = {}) {
	const { grid, reduction } = tokens;
	const [dim, patches] = [o.embed_dim, grid[0] * grid[1]];
	const prefix = Number(o.class_token) + o.reg_tokens + Number(distilled);
	check$10(o, distilled);
	const token = (n) => parameter([
		1,
		n,
		dim
	], normal(1e-6), { decay: false });
	const relative = () => o.pos_embed === "relative" ? relativePositionBias(grid, o.num_heads, prefix) : void 0;
	const pooled = o.global_pool === "avg";
	const classifier = () => o.num_classes > 0 ? linear(dim, o.num_classes, weights$5) : identity();
	return network({
		cls_token: o.class_token ? token(1) : void 0,
		reg_token: o.reg_tokens ? token(o.reg_tokens) : void 0,
		...positionSlots(o, grid, prefix),
		dist_token: distilled ? parameter([
			1,
			1,
			dim
		], truncNormal(.02), { decay: false }) : void 0,
		patch_embed: tokens.embed,
		pos_drop: dropout(o.pos_drop_rate),
		blocks: linearRates(o.drop_path_rate, o.depth).map((rate) => block$7(o, rate, relative())),
		norm: pooled ? identity() : layerNorm$2(dim, { epsilon: o.norm_eps }),
		fc_norm: pooled ? layerNorm$2(dim, { epsilon: o.norm_eps }) : identity(),
		head_drop: dropout(o.drop_rate),
		head: classifier(),
		head_dist: distilled ? classifier() : void 0
	}, {
		features: (m, x) => {
			x = embed(m.patch_embed(x), m, prefix);
			x = m.pos_drop(x);
			for (const block of m.blocks) x = block(x);
			return m.norm(x);
		},
		head: (m, x) => {
			const token = (i) => x.slice(1, i, i + 1).squeeze(1);
			if (m.head_dist) {
				const [a, b] = [tap("head", m.head(m.head_drop(token(0)))), m.head_dist(m.head_drop(token(1)))];
				return a.add(tap("head_dist", b)).mul(.5);
			}
			const pooledTokens = pooled ? x.slice(1, prefix, prefix + patches).mean([1]) : token(0);
			return m.head(m.head_drop(m.fc_norm(o.global_pool === "" ? x : pooledTokens)));
		},
		pyramid: (m, x) => {
			x = embed(m.patch_embed(x), m, prefix);
			return m.blocks.map((block) => {
				x = block(x);
				const map = x.slice(1, prefix, prefix + patches).transpose([
					0,
					2,
					1
				]);
				return map.reshape([
					map.shape[0],
					dim,
					...grid
				]);
			});
		},
		featureInfo: Array.from({ length: o.depth }, (_, i) => ({
			num_chs: dim,
			reduction,
			module: `blocks.${i}`
		}))
	});
}
function patchesOf(o) {
	const patch = pair(o.patch_size);
	return {
		embed: o.patch_norm ? normPatchEmbed(o.in_chans, o.embed_dim, patch) : patchEmbed$1(o.in_chans, o.embed_dim, patch),
		grid: patchGrid(pair(o.img_size), patch),
		reduction: patch[0]
	};
}
/**
* z0 = [x_class; patches] + E_pos (eq. 1). Tokens and table meet first, [1, prefix + L, D], so that the batch is
* padded by `prefix` rows and added to once.
*/
function embed(patches, m, prefix) {
	const position = m.pos_embed ?? m.pos_grid?.() ?? m.pos_fixed?.();
	const length = patches.shape[1] + prefix;
	const rows = (t, before) => t.pad([
		[0, 0],
		[before, length - before - t.shape[1]],
		[0, 0]
	]);
	const parts = [];
	if (position) parts.push(rows(position, length - position.shape[1]));
	if (m.cls_token) parts.push(rows(m.cls_token, 0));
	if (m.dist_token) parts.push(rows(m.dist_token, 1));
	if (m.reg_token) parts.push(rows(m.reg_token, m.cls_token ? 1 : 0));
	const x = rows(patches, prefix);
	return parts.length ? x.add(parts.reduce((a, b) => a.add(b))) : x;
}
function check$10(o, distilled) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	if (o.global_pool === "max") throw usage("a ViT pools by token or avg");
	if (o.global_pool === "token" && !o.class_token) throw usage("global_pool=token needs the class token", "Set global_pool=avg, or class_token=true");
	if (distilled && (o.global_pool !== "token" || o.reg_tokens > 0)) throw usage("a distilled ViT reads its class and distillation tokens: global_pool=token, reg_tokens=0");
	if (o.pos_embed === "2d" && o.embed_dim % 2) throw usage(`a 2-D position table needs an even width, not ${o.embed_dim}`);
}
const TINY$1 = {
	embed_dim: 192,
	depth: 12,
	num_heads: 3
};
const SMALL$3 = {
	embed_dim: 384,
	depth: 12,
	num_heads: 6
};
const BASE$2 = {
	embed_dim: 768,
	depth: 12,
	num_heads: 12
};
const LARGE$3 = {
	embed_dim: 1024,
	depth: 24,
	num_heads: 16
};
const HUGE = {
	embed_dim: 1280,
	depth: 32,
	num_heads: 16
};
const DEFAULTS$1 = {
	num_classes: 1e3,
	img_size: 224,
	in_chans: 3,
	global_pool: "token",
	drop_rate: 0,
	drop_path_rate: 0,
	patch_size: 16,
	...BASE$2,
	mlp_ratio: 4,
	qkv_bias: true,
	class_token: true,
	reg_tokens: 0,
	no_embed_class: false,
	init_values: null,
	pos_embed: "learn",
	patch_norm: false,
	norm_eps: 1e-6,
	pos_drop_rate: 0,
	proj_drop_rate: 0,
	attn_drop_rate: 0
};
const IMAGENET$1 = {
	mean: IMAGENET_MEAN,
	std: IMAGENET_STD
};
const at384$1 = {
	img_size: 384,
	preprocessing: { crop_pct: 1 }
};
const dinov2 = {
	img_size: 518,
	patch_size: 14,
	init_values: 1e-5,
	num_classes: 0,
	preprocessing: {
		...IMAGENET$1,
		crop_pct: 1
	}
};
const registers = {
	...dinov2,
	reg_tokens: 4,
	no_embed_class: true
};
var vit_default = family({
	paper: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, arXiv:2010.11929",
	defaults: DEFAULTS$1,
	preprocessing: {
		mean: HALF,
		std: HALF,
		interpolation: "bicubic",
		crop_pct: .9
	},
	build: (o) => vit(o),
	variants: {
		vit_tiny_patch16_224: TINY$1,
		vit_tiny_patch16_384: {
			...TINY$1,
			...at384$1
		},
		vit_small_patch32_224: {
			...SMALL$3,
			patch_size: 32
		},
		vit_small_patch32_384: {
			...SMALL$3,
			patch_size: 32,
			...at384$1
		},
		vit_small_patch16_224: SMALL$3,
		vit_small_patch16_384: {
			...SMALL$3,
			...at384$1
		},
		vit_small_patch8_224: {
			...SMALL$3,
			patch_size: 8,
			num_classes: 0,
			preprocessing: IMAGENET$1
		},
		vit_base_patch32_224: { patch_size: 32 },
		vit_base_patch32_384: {
			patch_size: 32,
			...at384$1
		},
		vit_base_patch16_224: {},
		vit_base_patch16_384: at384$1,
		vit_base_patch8_224: { patch_size: 8 },
		vit_large_patch32_224: {
			...LARGE$3,
			patch_size: 32,
			num_classes: 0
		},
		vit_large_patch32_384: {
			...LARGE$3,
			patch_size: 32,
			...at384$1
		},
		vit_large_patch16_224: LARGE$3,
		vit_large_patch16_384: {
			...LARGE$3,
			...at384$1
		},
		vit_large_patch14_224: {
			...LARGE$3,
			patch_size: 14
		},
		vit_huge_patch14_224: {
			...HUGE,
			patch_size: 14,
			num_classes: 0
		},
		vit_small_patch14_dinov2: {
			...SMALL$3,
			...dinov2
		},
		vit_base_patch14_dinov2: {
			...BASE$2,
			...dinov2
		},
		vit_large_patch14_dinov2: {
			...LARGE$3,
			...dinov2
		},
		vit_small_patch14_reg4_dinov2: {
			...SMALL$3,
			...registers
		},
		vit_base_patch14_reg4_dinov2: {
			...BASE$2,
			...registers
		},
		vit_large_patch14_reg4_dinov2: {
			...LARGE$3,
			...registers
		}
	}
});
//#endregion
//#region src/models/deit.ts
const MEDIUM = {
	embed_dim: 512,
	depth: 12,
	num_heads: 8
};
/** DeiT III: layer scale, and positions for the patches only. */
const three = {
	no_embed_class: true,
	init_values: 1e-6
};
const distilled = { distilled: true };
/**
* DeiT is ViT trained on ImageNet-1k alone. A distilled one (figure 2) carries a second token with a head of its own,
* taught by a convolutional teacher; its logits are the mean of both heads, and the taps "head" and "head_dist" give
* each, for the distillation loss (eq. 3). DeiT III (Touvron et al. 2022, arXiv:2204.07118) adds layer scale and
* leaves the class token without a position.
*/
var deit_default = family({
	paper: "Touvron et al. 2021, Training data-efficient image transformers & distillation through attention, arXiv:2012.12877",
	defaults: {
		...DEFAULTS$1,
		distilled: false
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: .9
	},
	build: (o) => vit(o, { distilled: o.distilled }),
	variants: {
		deit_tiny_patch16_224: TINY$1,
		deit_small_patch16_224: SMALL$3,
		deit_base_patch16_224: BASE$2,
		deit_base_patch16_384: {
			...BASE$2,
			...at384$1
		},
		deit_tiny_distilled_patch16_224: {
			...TINY$1,
			...distilled
		},
		deit_small_distilled_patch16_224: {
			...SMALL$3,
			...distilled
		},
		deit_base_distilled_patch16_224: {
			...BASE$2,
			...distilled
		},
		deit_base_distilled_patch16_384: {
			...BASE$2,
			...distilled,
			...at384$1
		},
		deit3_small_patch16_224: {
			...SMALL$3,
			...three
		},
		deit3_small_patch16_384: {
			...SMALL$3,
			...three,
			...at384$1
		},
		deit3_medium_patch16_224: {
			...MEDIUM,
			...three
		},
		deit3_base_patch16_224: {
			...BASE$2,
			...three
		},
		deit3_base_patch16_384: {
			...BASE$2,
			...three,
			...at384$1
		},
		deit3_large_patch16_224: {
			...LARGE$3,
			...three
		},
		deit3_large_patch16_384: {
			...LARGE$3,
			...three,
			...at384$1
		},
		deit3_huge_patch14_224: {
			...HUGE,
			...three,
			patch_size: 14
		}
	}
});
//#endregion
//#region src/nn/squeeze-excite.ts
/** x · gate(expand(act(reduce(mean of x over the image)))), with names of timm's mobile networks. */
const squeezeExcite = (channels, reduced, options = {}) => {
	const { reduce, expand, act, gate } = parts$1(channels, reduced, options);
	return module({
		conv_reduce: reduce,
		conv_expand: expand
	}, (m, x) => x.mul(gate(m.conv_expand(act(m.conv_reduce(squeeze(x)))))));
};
/** The same (Hu et al. 2018, figure 2) with the names of timm's general SEModule: MaxViT's, among others. */
const seModule = (channels, reduced, options = {}) => {
	const { reduce, expand, act, gate } = parts$1(channels, reduced, options);
	return module({
		fc1: reduce,
		fc2: expand
	}, (m, x) => x.mul(gate(m.fc2(act(m.fc1(squeeze(x)))))));
};
const squeeze = (x) => x.mean([2, 3], true);
function parts$1(channels, reduced, { act = "relu", gate = "sigmoid", ...init }) {
	return {
		reduce: conv2d(channels, reduced, 1, init),
		expand: conv2d(reduced, channels, 1, init),
		act: activation(act),
		gate: activation(gate)
	};
}
//#endregion
//#region src/nn/mbconv.ts
/**
* The nearest multiple of `divisor` to a number of channels, at least one of them; one more where that would lose
* over 1 - limit of the width (MobileNetV2's rule).
*/
function makeDivisible(channels, divisor = 8, limit = .9) {
	const rounded = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
	return rounded < limit * channels ? rounded + divisor : rounded;
}
/** To the nearest whole number, halves to the even one, as Python's round: published widths and depths count on it. */
function roundHalfEven(x) {
	const below = Math.floor(x);
	return x - below === .5 ? below + below % 2 : Math.round(x);
}
/** A convolution without bias, initialised as TensorFlow's mobile networks are: variance 2 / fan out of a group. */
const mobileConv = (inChans, out, kernel, options = {}) => conv2d(inChans, out, kernel, {
	bias: false,
	weightInit: kaimingNormalFanOut(options.groups),
	...options
});
/** What all blocks share: the activation, how convolutions pad, the squeeze, the skip. */
function common(inChans, out, mid, o) {
	const { stride = 1, act = "relu", padding, se, skip = true } = o;
	const squeezed = (se?.of === "expanded" ? mid : inChans) * (se?.ratio ?? 0);
	const reduced = se?.divisible ? makeDivisible(squeezed) : roundHalfEven(squeezed);
	const skips = skip && stride === 1 && inChans === out;
	const init = {
		weightInit: kaimingNormalFanOut(),
		biasInit: zeros
	};
	return {
		f: activation(act),
		conv: (from, to, kernel, options = {}) => mobileConv(from, to, kernel, {
			padding,
			...options
		}),
		norm: (channels) => batchNorm$1(channels, o.norm),
		se: se ? squeezeExcite(mid, reduced, {
			act: se.act ?? act,
			gate: se.gate,
			...init
		}) : identity(),
		drop_path: dropPath(skips ? o.dropPath ?? 0 : 0),
		add: (y, x) => tap("out", skips ? y.add(x) : y)
	};
}
/** Convolution, norm and activation; a skip is added after the activation (EfficientNetV2's first stage). */
function convBlock(inChans, out, o = {}) {
	const { f, conv, norm, drop_path, add } = common(inChans, out, out, o);
	return module({
		conv: conv(inChans, out, o.kernel ?? 3, { stride: o.stride }),
		bn1: norm(out),
		drop_path
	}, (m, x) => add(m.drop_path(f(m.bn1(m.conv(x)))), x));
}
/** Depthwise, squeeze, pointwise (Howard et al. 2017, figure 3); `pointAct` also after the pointwise half. */
function depthwiseSeparable(inChans, out, o = {}) {
	const { f, conv, norm, se, drop_path, add } = common(inChans, out, inChans, o);
	return module({
		conv_dw: conv(inChans, inChans, o.kernel ?? 3, {
			stride: o.stride,
			groups: inChans
		}),
		bn1: norm(inChans),
		se,
		conv_pw: conv(inChans, out, 1),
		bn2: norm(out),
		drop_path
	}, (m, x) => {
		const y = m.bn2(m.conv_pw(m.se(f(m.bn1(m.conv_dw(x))))));
		return add(m.drop_path(o.pointAct ? f(y) : y), x);
	});
}
/** Inverted residual, MBConv (Sandler et al. 2018, figure 4d): expand, depthwise, squeeze, project without activation. */
function mbconv$2(inChans, out, o = {}) {
	const mid = makeDivisible(inChans * (o.expand ?? 1));
	const { f, conv, norm, se, drop_path, add } = common(inChans, out, mid, o);
	return module({
		conv_pw: conv(inChans, mid, 1),
		bn1: norm(mid),
		conv_dw: conv(mid, mid, o.kernel ?? 3, {
			stride: o.stride,
			groups: mid
		}),
		bn2: norm(mid),
		se,
		conv_pwl: conv(mid, out, 1),
		bn3: norm(out),
		drop_path
	}, (m, x) => {
		const y = m.se(f(m.bn2(m.conv_dw(f(m.bn1(m.conv_pw(x)))))));
		return add(m.drop_path(m.bn3(m.conv_pwl(y))), x);
	});
}
/** Fused MBConv (Tan and Le 2021, figure 2): one full convolution in place of expansion and depthwise. */
function fusedMbconv(inChans, out, o = {}) {
	const mid = makeDivisible(inChans * (o.expand ?? 1));
	const { f, conv, norm, se, drop_path, add } = common(inChans, out, mid, o);
	return module({
		conv_exp: conv(inChans, mid, o.kernel ?? 3, { stride: o.stride }),
		bn1: norm(mid),
		se,
		conv_pwl: conv(mid, out, 1),
		bn2: norm(out),
		drop_path
	}, (m, x) => add(m.drop_path(m.bn2(m.conv_pwl(m.se(f(m.bn1(m.conv_exp(x))))))), x));
}
//#endregion
//#region src/models/mobile-stages.ts
/** Channels times the multiplier, to a multiple of 8. */
const scaleChannels = (o, channels, limit) => makeDivisible(channels * o.channel_multiplier, 8, limit);
/** Repeats of a stage's rows times the multiplier: the sum is rounded up, and dealt out from the last row on. */
function scaleDepth(repeats, multiplier) {
	let total = repeats.reduce((a, b) => a + b);
	let scaled = Math.ceil(total * multiplier);
	return repeats.toReversed().map((r) => {
		const share = Math.max(1, roundHalfEven(r / total * scaled));
		total -= r;
		scaled -= share;
		return share;
	}).toReversed();
}
/** Every block of a stage as a row of its own, of one repeat. */
function unroll(rows, multiplier) {
	const repeats = scaleDepth(rows.map((r) => r.repeats), multiplier);
	return rows.flatMap((row, i) => Array(repeats[i]).fill(row)).map((row, i) => i === 0 ? row : {
		...row,
		stride: 1
	});
}
function block$6(row, inChans, out, a, shared) {
	const options = {
		...shared,
		kernel: row.kernel,
		stride: row.stride,
		expand: row.expand,
		act: row.act ?? shared.act,
		se: row.se > 0 ? {
			...a.squeeze,
			ratio: row.se
		} : void 0,
		skip: row.skip
	};
	switch (row.block) {
		case "conv": return convBlock(inChans, out, {
			...options,
			skip: row.skip ?? false
		});
		case "separable": return depthwiseSeparable(inChans, out, {
			...options,
			pointAct: row.pointAct
		});
		case "fused": return fusedMbconv(inChans, out, options);
		case "mbconv": return mbconv$2(inChans, out, options);
	}
}
/** Blocks of all stages, and the feature maps: the last of each resolution. */
function trunk$1(o, a, stem, shared) {
	const last = a.stages.length - 1;
	const multiplier = (s) => {
		if (a.fixFirstLast && (s === 0 || s === last)) return 1;
		return typeof o.depth_multiplier === "number" ? o.depth_multiplier : o.depth_multiplier[s];
	};
	const rows = a.stages.map((stage, s) => unroll(stage, multiplier(s)));
	const count = rows.flat().length;
	let [inChans, reduction, index] = [
		stem,
		2,
		0
	];
	const info = [];
	if (rows[0][0].stride > 1) info.push({
		num_chs: stem,
		reduction,
		module: "bn1",
		stage: -1
	});
	return {
		blocks: rows.map((stage, s) => {
			const made = stage.map((row) => {
				const out = scaleChannels(o, row.channels, a.limit);
				const made = block$6(row, inChans, out, a, {
					...shared,
					dropPath: o.drop_path_rate * index++ / count
				});
				reduction *= row.stride;
				inChans = out;
				return made;
			});
			if (s === last || rows[s + 1][0].stride > 1) info.push({
				num_chs: inChans,
				reduction,
				module: `blocks.${s}`,
				stage: s
			});
			return made;
		}).map((stage) => sequential(...stage)),
		info,
		width: inChans
	};
}
/** Stem, stages and head of an architecture. */
function mobileNetwork(o, a) {
	check$9(o, a);
	const padding = o.pad_type === "same" ? "same" : void 0;
	const norm = {
		epsilon: o.bn_eps,
		momentum: o.bn_momentum
	};
	const stem = a.fixStem ? a.stem : scaleChannels(o, a.stem, a.limit);
	const { blocks, info, width } = trunk$1(o, a, stem, {
		act: o.act_layer,
		padding,
		norm
	});
	const [before, after] = a.headAfterPool ? [0, a.head] : [a.head, 0];
	const features = a.head || width;
	const f = activation(o.act_layer);
	const stages = (layers, x) => layers.map((stage) => {
		x = stage(x);
		return x;
	});
	return network({
		conv_stem: mobileConv(o.in_chans, stem, 3, {
			stride: 2,
			padding
		}),
		bn1: batchNorm$1(stem, norm),
		blocks,
		conv_head: before ? mobileConv(width, before, 1) : after ? mobileConv(width, after, 1, {
			bias: true,
			biasInit: zeros
		}) : identity(),
		bn2: before ? batchNorm$1(before, norm) : identity(),
		global_pool: globalPool(o.global_pool, o.num_classes),
		drop: dropout(o.drop_rate),
		classifier: o.num_classes > 0 ? linear(features, o.num_classes, {
			weightInit: uniform(o.num_classes ** -.5),
			biasInit: zeros
		}) : identity()
	}, {
		features: (m, x) => {
			const y = stages(m.blocks, f(m.bn1(m.conv_stem(x)))).at(-1);
			return before ? f(m.bn2(m.conv_head(y))) : y;
		},
		head: (m, x) => {
			const pooled = m.global_pool(x);
			return m.classifier(m.drop(after ? onMaps(pooled, (y) => f(m.conv_head(y))) : pooled));
		},
		pyramid: (m, x) => {
			const start = f(m.bn1(m.conv_stem(x)));
			const ends = stages(m.blocks, start);
			return info.map(({ stage }) => stage < 0 ? start : ends[stage]);
		},
		featureInfo: info.map(({ stage: _, ...rest }) => rest)
	});
}
/** A convolution of maps on vectors [N, C], as maps of one pixel. */
function onMaps(x, conv) {
	return x.rank === 4 ? conv(x) : conv(x.reshape([
		...x.shape,
		1,
		1
	])).flatten();
}
function check$9(o, a) {
	const usage = (what) => new TesseraeError("usage", what);
	if (!(o.channel_multiplier > 0)) throw usage(`channel_multiplier is positive, not ${o.channel_multiplier}`);
	const depths = [o.depth_multiplier].flat();
	if (depths.some((d) => !(d > 0)) || depths.length > 1 && depths.length !== a.stages.length) throw usage(`depth_multiplier is a positive number, or one for each of ${a.stages.length} stages`);
	if (o.pad_type !== "" && o.pad_type !== "same") throw usage(`pad_type is same or empty, not ${JSON.stringify(o.pad_type)}`);
}
/** Names with these options are timm's tf_ names: the weights come from TensorFlow. */
const TENSORFLOW = {
	pad_type: "same",
	bn_eps: .001
};
const MOBILE_DEFAULTS = {
	num_classes: 1e3,
	img_size: 224,
	in_chans: 3,
	global_pool: "avg",
	drop_rate: 0,
	drop_path_rate: 0,
	channel_multiplier: 1,
	depth_multiplier: 1,
	act_layer: "relu",
	pad_type: "",
	bn_eps: 1e-5,
	bn_momentum: .1
};
//#endregion
//#region src/models/efficientnet.ts
const rows = (block, more) => (kernel, stride, expand, channels, repeats) => [{
	block,
	kernel,
	stride,
	expand,
	channels,
	repeats,
	...more
}];
function v1$1(o) {
	const separable = rows("separable", { se: o.se_ratio });
	const mbconv = rows("mbconv", { se: o.se_ratio });
	return {
		stages: [
			separable(3, 1, 1, 16, 1),
			mbconv(3, 2, 6, 24, 2),
			mbconv(5, 2, 6, 40, 2),
			mbconv(3, 2, 6, 80, 3),
			mbconv(5, 1, 6, 112, 3),
			mbconv(5, 2, 6, 192, 4),
			mbconv(3, 1, 6, 320, 1)
		],
		stem: 32,
		fixStem: o.fix_stem_head,
		fixFirstLast: o.fix_stem_head,
		head: o.fix_stem_head ? 1280 : scaleChannels(o, 1280)
	};
}
const conv$4 = rows("conv", {
	se: 0,
	skip: true
});
const fused = rows("fused", { se: 0 });
const mbconv$1 = rows("mbconv", { se: .25 });
const s = (first, last) => ({
	stages: [
		first,
		fused(3, 2, 4, 48, 4),
		fused(3, 2, 4, 64, 4),
		mbconv$1(3, 2, 4, 128, 6),
		mbconv$1(3, 1, 6, 160, 9),
		mbconv$1(3, 2, 6, last, 15)
	],
	stem: 24
});
const V2 = {
	base: {
		stages: [
			conv$4(3, 1, 1, 16, 1),
			fused(3, 2, 4, 32, 2),
			fused(3, 2, 4, 48, 2),
			mbconv$1(3, 2, 4, 96, 3),
			mbconv$1(3, 1, 6, 112, 5),
			mbconv$1(3, 2, 6, 192, 8)
		],
		stem: 32,
		limit: 0
	},
	s: s(conv$4(3, 1, 1, 24, 2), 256),
	rw: s(fused(3, 1, 1, 24, 2), 272),
	m: {
		stages: [
			conv$4(3, 1, 1, 24, 3),
			fused(3, 2, 4, 48, 5),
			fused(3, 2, 4, 80, 5),
			mbconv$1(3, 2, 4, 160, 7),
			mbconv$1(3, 1, 6, 176, 14),
			mbconv$1(3, 2, 6, 304, 18),
			mbconv$1(3, 1, 6, 512, 5)
		],
		stem: 24
	},
	l: {
		stages: [
			conv$4(3, 1, 1, 32, 4),
			fused(3, 2, 4, 64, 7),
			fused(3, 2, 4, 96, 7),
			mbconv$1(3, 2, 4, 192, 10),
			mbconv$1(3, 1, 6, 224, 19),
			mbconv$1(3, 2, 6, 384, 25),
			mbconv$1(3, 1, 6, 640, 7)
		],
		stem: 32
	},
	xl: {
		stages: [
			conv$4(3, 1, 1, 32, 4),
			fused(3, 2, 4, 64, 8),
			fused(3, 2, 4, 96, 8),
			mbconv$1(3, 2, 4, 192, 16),
			mbconv$1(3, 1, 6, 256, 24),
			mbconv$1(3, 2, 6, 512, 32),
			mbconv$1(3, 1, 6, 640, 8)
		],
		stem: 32
	}
};
function v2$1(o) {
	const plan = V2[o.arch];
	const scales = o.arch === "base" || o.arch === "s" || o.arch === "rw";
	const head = o.arch === "rw" ? 1792 : 1280;
	return {
		...plan,
		head: scales ? scaleChannels(o, head, plan.limit) : head
	};
}
const IMAGENET = {
	mean: IMAGENET_MEAN,
	std: IMAGENET_STD
};
const half$1 = {
	mean: HALF,
	std: HALF
};
const preprocessing$1 = {
	...IMAGENET,
	interpolation: "bicubic",
	crop_pct: .875
};
/** Compound scaling: width, depth, resolution, and timm's crop. */
const scaled$1 = (channel_multiplier, depth_multiplier, img_size, crop_pct = .875) => ({
	channel_multiplier,
	depth_multiplier,
	img_size,
	preprocessing: { crop_pct }
});
const tf$1 = (spec, more = {}) => ({
	...spec,
	...TENSORFLOW,
	preprocessing: {
		...spec.preprocessing,
		...more
	}
});
const B$1 = {
	b0: scaled$1(1, 1, 224),
	b1: scaled$1(1, 1.1, 240, .882),
	b2: scaled$1(1.1, 1.2, 260, .89),
	b3: scaled$1(1.2, 1.4, 300, .904),
	b4: scaled$1(1.4, 1.8, 380, .922),
	b5: scaled$1(1.6, 2.2, 456, .934),
	b6: scaled$1(1.8, 2.6, 528, .942),
	b7: scaled$1(2, 3.1, 600, .949),
	b8: scaled$1(2.2, 3.6, 672, .954)
};
const LITE = {
	se_ratio: 0,
	fix_stem_head: true,
	act_layer: "relu6"
};
const lite = {
	lite0: {
		...LITE,
		...B$1.b0
	},
	lite1: {
		...LITE,
		...B$1.b1
	},
	lite2: {
		...LITE,
		...B$1.b2
	},
	lite3: {
		...LITE,
		...B$1.b3
	},
	lite4: {
		...LITE,
		...B$1.b4
	}
};
const efficientNetV1 = family({
	paper: "Tan and Le 2019, EfficientNet: Rethinking Model Scaling, arXiv:1905.11946",
	defaults: {
		...MOBILE_DEFAULTS,
		act_layer: "silu",
		se_ratio: .25,
		fix_stem_head: false
	},
	preprocessing: preprocessing$1,
	build: (o) => mobileNetwork(o, v1$1(o)),
	variants: {
		efficientnet_b0: B$1.b0,
		efficientnet_b1: {
			...scaled$1(1, 1.1, 240),
			preprocessing: {
				...half$1,
				crop_pct: .9
			}
		},
		efficientnet_b2: scaled$1(1.1, 1.2, 256),
		efficientnet_b3: scaled$1(1.2, 1.4, 288),
		efficientnet_b4: scaled$1(1.4, 1.8, 320),
		efficientnet_b5: scaled$1(1.6, 2.2, 448, 1),
		efficientnet_b6: B$1.b6,
		efficientnet_b7: B$1.b7,
		efficientnet_b8: B$1.b8,
		efficientnet_lite0: lite.lite0,
		efficientnet_lite1: lite.lite1,
		efficientnet_lite2: lite.lite2,
		efficientnet_lite3: lite.lite3,
		efficientnet_lite4: lite.lite4,
		tf_efficientnet_b0: tf$1(B$1.b0),
		tf_efficientnet_b1: tf$1(B$1.b1),
		tf_efficientnet_b2: tf$1(B$1.b2),
		tf_efficientnet_b3: tf$1(B$1.b3),
		tf_efficientnet_b4: tf$1(B$1.b4),
		tf_efficientnet_b5: tf$1(B$1.b5),
		tf_efficientnet_b6: tf$1(B$1.b6),
		tf_efficientnet_b7: tf$1(B$1.b7),
		tf_efficientnet_b8: tf$1(B$1.b8, half$1),
		tf_efficientnet_lite0: tf$1(lite.lite0, half$1),
		tf_efficientnet_lite1: tf$1(lite.lite1, half$1),
		tf_efficientnet_lite2: tf$1(lite.lite2, half$1),
		tf_efficientnet_lite3: tf$1(lite.lite3, {
			...half$1,
			interpolation: "bilinear"
		}),
		tf_efficientnet_lite4: tf$1(lite.lite4, {
			...half$1,
			interpolation: "bilinear",
			crop_pct: .92
		})
	}
});
const whole = { preprocessing: { crop_pct: 1 } };
const efficientNets = [efficientNetV1, family({
	paper: "Tan and Le 2021, EfficientNetV2: Smaller Models and Faster Training, arXiv:2104.00298",
	defaults: {
		...MOBILE_DEFAULTS,
		act_layer: "silu",
		arch: "s"
	},
	preprocessing: preprocessing$1,
	build: (o) => mobileNetwork(o, v2$1(o)),
	variants: {
		efficientnetv2_rw_t: {
			...whole,
			img_size: 224,
			channel_multiplier: .8,
			depth_multiplier: .9
		},
		efficientnetv2_rw_s: {
			...whole,
			arch: "rw",
			img_size: 288
		},
		efficientnetv2_rw_m: {
			...whole,
			arch: "rw",
			img_size: 320,
			channel_multiplier: 1.2,
			depth_multiplier: [
				1.2,
				1.2,
				1.2,
				1.2,
				1.6,
				1.6
			]
		},
		efficientnetv2_s: {
			...whole,
			img_size: 288
		},
		efficientnetv2_m: {
			...whole,
			arch: "m",
			img_size: 320
		},
		efficientnetv2_l: {
			...whole,
			arch: "l",
			img_size: 384
		},
		efficientnetv2_xl: {
			...whole,
			arch: "xl",
			img_size: 384
		},
		tf_efficientnetv2_b0: tf$1({
			...scaled$1(1, 1, 192),
			arch: "base"
		}),
		tf_efficientnetv2_b1: tf$1({
			...scaled$1(1, 1.1, 192, .882),
			arch: "base"
		}),
		tf_efficientnetv2_b2: tf$1({
			...scaled$1(1.1, 1.2, 208, .89),
			arch: "base"
		}),
		tf_efficientnetv2_b3: tf$1({
			...scaled$1(1.2, 1.4, 240, .9),
			arch: "base"
		}, half$1),
		tf_efficientnetv2_s: tf$1({
			...whole,
			img_size: 300
		}, half$1),
		tf_efficientnetv2_m: tf$1({
			...whole,
			arch: "m",
			img_size: 384
		}, half$1),
		tf_efficientnetv2_l: tf$1({
			...whole,
			arch: "l",
			img_size: 384
		}, half$1),
		tf_efficientnetv2_xl: tf$1({
			...whole,
			arch: "xl",
			img_size: 384
		}, half$1)
	}
})];
//#endregion
//#region src/nn/head.ts
/** Maps to logits: pooling, dropout and a linear layer under timm's name "fc"; no layer for 0 classes. */
const classifierHead = (dim, classes, { pool = "avg", drop = 0, channelsLast = false, ...init } = {}) => module({
	pool: channelsLast ? poolLast(pool, classes) : globalPool(pool, classes),
	drop: dropout(drop),
	fc: classes > 0 ? linear(dim, classes, init) : identity()
}, (m, x) => m.fc(m.drop(m.pool(x))));
/** globalPool of [N, H, W, C]. */
function poolLast(kind, classes) {
	const pool = globalPool(kind, classes);
	if (kind === "") return identity();
	return kind === "avg" ? fn((x) => x.mean([1, 2])) : fn((x) => pool.forward({}, x.transpose([
		0,
		3,
		1,
		2
	])));
}
/**
* Maps [N, C, H, W] to logits by pooling, norm, a hidden tanh layer, dropout and a linear layer, as TensorFlow's
* MaxViT ends; for 0 classes it gives the hidden layer.
*/
const normMlpHead = (dim, classes, { hidden, epsilon, pool = "avg", drop = 0, ...init }) => module({
	pool: globalPool(pool, classes),
	norm: layerNorm$2(dim, { epsilon }),
	pre_logits: module({ fc: linear(dim, hidden, init) }, (m, x) => m.fc(x).tanh()),
	drop: dropout(drop),
	fc: classes > 0 ? linear(hidden, classes, init) : identity()
}, (m, x) => {
	const pooled = m.pool(x);
	const last = pooled.rank === 4 ? pooled.transpose([
		0,
		2,
		3,
		1
	]) : pooled;
	return m.fc(m.drop(m.pre_logits(m.norm(last))));
});
//#endregion
//#region src/nn/window.ts
/** [N, H, W, C] to windows [N · H/h · W/w, h·w, C]: neighbouring pixels together (Swin, figure 2; MaxViT's blocks). */
function windowPartition(x, [h, w]) {
	const [n, height, width, c] = x.shape;
	const [rows, columns] = [height / h, width / w];
	return x.reshape([
		n,
		rows,
		h,
		columns,
		w,
		c
	]).transpose([
		0,
		1,
		3,
		2,
		4,
		5
	]).reshape([
		n * rows * columns,
		h * w,
		c
	]);
}
/** Windows back to the map [N, H, W, C]. */
function windowReverse(windows, [h, w], [height, width]) {
	const [count, , c] = windows.shape;
	const [rows, columns] = [height / h, width / w];
	const n = count / (rows * columns);
	return windows.reshape([
		n,
		rows,
		columns,
		h,
		w,
		c
	]).transpose([
		0,
		1,
		3,
		2,
		4,
		5
	]).reshape([
		n,
		height,
		width,
		c
	]);
}
/** [N, H, W, C] to [N · H/h · W/w, h·w, C]: the h x w pixels that lie H/h and W/w apart together (MaxViT's grids). */
function gridPartition(x, [h, w]) {
	const [n, height, width, c] = x.shape;
	const [rows, columns] = [height / h, width / w];
	return x.reshape([
		n,
		h,
		rows,
		w,
		columns,
		c
	]).transpose([
		0,
		2,
		4,
		1,
		3,
		5
	]).reshape([
		n * rows * columns,
		h * w,
		c
	]);
}
/** Grids back to the map [N, H, W, C]. */
function gridReverse(grids, [h, w], [height, width]) {
	const [count, , c] = grids.shape;
	const [rows, columns] = [height / h, width / w];
	const n = count / (rows * columns);
	return grids.reshape([
		n,
		rows,
		columns,
		h,
		w,
		c
	]).transpose([
		0,
		3,
		1,
		4,
		2,
		5
	]).reshape([
		n,
		height,
		width,
		c
	]);
}
/** Entries moved on by `shift` along an axis, those past the end to the front. */
function roll(x, axis, shift) {
	const size = x.shape[axis];
	const front = (-shift % size + size) % size;
	if (front === 0) return x;
	const [a, b] = x.split([front, size - front], axis);
	return concat([b, a], axis);
}
/** Windows no larger than the map; along an axis that one window covers, nothing is to be gained by a shift. */
function windowLayout(map, window, shifted) {
	const along = (i) => ({
		window: Math.min(map[i], window[i]),
		covers: map[i] <= window[i]
	});
	const [y, x] = [along(0), along(1)];
	const shift = (i, covers) => covers || !shifted ? 0 : Math.floor(window[i] / 2);
	return {
		window: [y.window, x.window],
		shift: [shift(0, y.covers), shift(1, x.covers)]
	};
}
/**
* Attention within shifted windows of a map [N, H, W, C] (Swin, section 3.2 and figure 4): the map is rolled by the
* shift and padded with zeros to whole windows, f sees [N · windows, h·w, C], and all is undone. f's mask,
* [windows, 1, h·w, h·w], holds -100 for two pixels of a window that the roll brought together; absent without shift.
*/
function inWindows(x, { window, shift }, f) {
	const [, height, width] = x.shape;
	const padded = [Math.ceil(height / window[0]) * window[0], Math.ceil(width / window[1]) * window[1]];
	const rolled = roll(roll(x, 1, -shift[0]), 2, -shift[1]).pad([
		[0, 0],
		[0, padded[0] - height],
		[0, padded[1] - width],
		[0, 0]
	]);
	const mask = shift[0] || shift[1] ? shiftMask(padded, {
		window,
		shift
	}) : void 0;
	return roll(roll(windowReverse(f(windowPartition(rolled, window), mask), window, padded).slice(1, 0, height).slice(2, 0, width), 1, shift[0]), 2, shift[1]);
}
/** Pixels of a window attend to each other where their regions, of the three bands along each axis, are the same. */
function shiftMask([height, width], { window, shift }) {
	const band = (i, size, axis) => shift[axis] === 0 ? 0 : Number(i >= size - window[axis]) + Number(i >= size - shift[axis]);
	const ids = windowPartition(constant(Array.from({ length: height * width }, (_, i) => 3 * band(Math.floor(i / width), height, 0) + band(i % width, width, 1)), [
		1,
		height,
		width,
		1
	]), window);
	const [windows, length] = ids.shape;
	return ids.reshape([
		windows,
		1,
		length,
		1
	]).equal(ids.reshape([
		windows,
		1,
		1,
		length
	])).cast("float32").sub(1).mul(100);
}
//#endregion
//#region src/models/maxvit.ts
/** Initialised as EfficientNet is: variance 2 / fan out of a group. */
const conv$3 = (o, inChans, out, kernel, options = {}) => conv2d(inChans, out, kernel, {
	bias: false,
	padding: o.padding === "same" ? "same" : void 0,
	weightInit: kaimingNormalFanOut(options.groups),
	biasInit: zeros,
	...options
});
/** Two 3x3 convolutions, the first of stride 2 (table 1, S0). */
const stem$2 = (o) => {
	const [first, second] = o.stem_width;
	return module({
		conv1: conv$3(o, o.in_chans, first, 3, {
			stride: 2,
			bias: o.stem_bias
		}),
		norm1: batchNorm$1(first, { epsilon: o.conv_norm_eps }),
		conv2: conv$3(o, first, second, 3, { bias: o.stem_bias })
	}, (m, x) => m.conv2(activation(o.conv_act_layer)(m.norm1(m.conv1(x)))));
};
/** What is added to a block's convolutions: the input, or where the map is halved its 2x2 means, projected. */
const shortcut$2 = (o, inChans, out, stride) => stride === 1 ? identity() : module({ expand: inChans === out ? identity() : conv$3(o, inChans, out, 1, { bias: o.output_bias }) }, (m, x) => m.expand(averages(x)));
const averages = (x) => {
	const [bottom, right] = [samePadding(x.shape[2], 2, 2)[1], samePadding(x.shape[3], 2, 2)[1]];
	return x.avgPool({
		kernel_shape: [2, 2],
		strides: [2, 2],
		pads: [
			0,
			0,
			bottom,
			right
		],
		count_include_pad: 1
	});
};
/** MBConv with a norm in front: x + project(squeeze(depthwise(expand(norm(x))))) (section 3.4 and appendix A.1). */
const mbconv = (o, inChans, out, stride, dropPathRate) => {
	const mid = makeDivisible((o.expand_output ? out : inChans) * 4);
	const squeezed = Math.floor(o.attn_ratio * (o.expand_output ? out : mid));
	const norm = (channels) => batchNorm$1(channels, { epsilon: o.conv_norm_eps });
	const act = activation(o.conv_act_layer);
	return module({
		shortcut: shortcut$2(o, inChans, out, stride),
		pre_norm: norm(inChans),
		conv1_1x1: conv$3(o, inChans, mid, 1),
		norm1: norm(mid),
		conv2_kxk: conv$3(o, mid, mid, 3, {
			stride,
			groups: mid
		}),
		norm2: norm(mid),
		se: seModule(mid, squeezed, {
			act: "silu",
			weightInit: kaimingNormalFanOut(),
			biasInit: zeros
		}),
		conv3_1x1: conv$3(o, mid, out, 1, { bias: o.output_bias }),
		drop_path: dropPath(dropPathRate)
	}, (m, x) => {
		const wide = act(m.norm1(m.conv1_1x1(m.pre_norm(x))));
		const y = m.conv3_1x1(m.se(act(m.norm2(m.conv2_kxk(wide)))));
		return m.drop_path(y).add(m.shortcut(x));
	});
};
/** What is left of MBConv without its convolutions. */
const shortcutOnly = (o, inChans, out, stride) => module({ shortcut: shortcut$2(o, inChans, out, stride) }, (m, x) => m.shortcut(x));
const weights$4 = {
	weightInit: xavierUniform,
	biasInit: zeros
};
const mlpWeights = {
	weightInit: xavierUniform,
	biasInit: normal(1e-6)
};
/** Bias as a network of sign(d) ln(1 + |d|) of both offsets d (after Swin V2, section 3.3). */
const positionMlp$1 = (window, heads, hidden) => module({ mlp: module({
	fc1: linear(2, hidden, {
		...mlpWeights,
		decay: false
	}),
	fc2: linear(hidden, heads, {
		...mlpWeights,
		decay: false
	})
}, (m, x) => m.fc2(m.fc1(x).relu())) }, (m) => {
	const table = offsetTable(window, (offset) => Math.sign(offset) * Math.log1p(Math.abs(offset)));
	return biasOfOffsets(m.mlp(table), window);
});
/** Scores' bias [heads, L, L]. */
function relativeBias(o, window, heads) {
	if (o.pos_embed !== "relative") return void 0;
	if (o.rel_pos_type === "mlp") return positionMlp$1(window, heads, o.rel_pos_dim);
	return o.rel_pos_type === "bias" ? relativePositionBias(window, heads) : relativePositionBiasTf(window, heads);
}
/** Multi-head attention of [N, L, C] with relative bias (eq. 1). */
const attention = (o, dim, window) => {
	const [heads, d] = [dim / o.dim_head, o.dim_head];
	return module({
		qkv: linear(dim, 3 * dim, weights$4),
		rel_pos: relativeBias(o, window, heads),
		attn_drop: dropout(o.attn_drop_rate),
		proj: linear(dim, dim, weights$4),
		proj_drop: dropout(o.proj_drop_rate)
	}, (m, x) => {
		const [wq, wk, wv] = parts(o, m.qkv.weight, d);
		const [bq, bk, bv] = parts(o, m.qkv.bias, d);
		const [q, k, v] = [
			dense(x, wq, bq),
			dense(x, wk, bk),
			dense(x, wv, bv)
		].map((t) => splitHeads(t, heads));
		const y = attend(q.mul(d ** -.5), k, v, {
			bias: m.rel_pos?.(),
			drop: m.attn_drop
		});
		return m.proj_drop(m.proj(joinHeads(y)));
	});
};
/** Rows of the weight or bias that make q, k and v. */
function parts({ head_first }, t, d) {
	if (!head_first) return t.split(3, 0);
	const [rows, ...rest] = t.shape;
	return t.reshape([
		rows / 3 / d,
		3,
		d,
		...rest
	]).split(3, 1).map((part) => part.reshape([rows / 3, ...rest]));
}
const PARTITIONS = {
	block: {
		partition: windowPartition,
		reverse: windowReverse
	},
	grid: {
		partition: gridPartition,
		reverse: gridReverse
	}
};
/** x + attn(norm(x)) within windows or grids, then x + mlp(norm(x)); maps [N, H, W, C] (figure 3). */
const partitionAttention = (o, dim, kind, dropPathRate) => {
	const window = windows$1(o)[kind];
	const { partition, reverse } = PARTITIONS[kind];
	return module({
		norm1: layerNorm$2(dim, { epsilon: o.norm_eps }),
		attn: attention(o, dim, window),
		ls1: layerScale(dim, o.init_values),
		drop_path1: dropPath(dropPathRate),
		norm2: layerNorm$2(dim, { epsilon: o.norm_eps }),
		mlp: mlp(dim, 4 * dim, {
			act: o.act_layer,
			drop: o.proj_drop_rate,
			...mlpWeights
		}),
		ls2: layerScale(dim, o.init_values),
		drop_path2: dropPath(dropPathRate)
	}, (m, x) => {
		const map = [x.shape[1], x.shape[2]];
		const y = reverse(m.attn(partition(m.norm1(x), window)), window, map);
		x = x.add(m.drop_path1(m.ls1(y)));
		return tap("out", x.add(m.drop_path2(m.ls2(m.mlp(m.norm2(x))))));
	});
};
/** MBConv, block attention, grid attention (figure 2). */
const block$5 = (o, inChans, out, stride, rate) => module({
	conv: o.mbconv ? mbconv(o, inChans, out, stride, rate) : shortcutOnly(o, inChans, out, stride),
	attn_block: o.block_attn ? partitionAttention(o, out, "block", rate) : identity(),
	attn_grid: o.grid_attn ? partitionAttention(o, out, "grid", rate) : identity()
}, (m, x, position) => {
	const map = m.conv(x);
	const last = (position ? map.add(position) : map).transpose([
		0,
		2,
		3,
		1
	]);
	return m.attn_grid(m.attn_block(last)).transpose([
		0,
		3,
		1,
		2
	]);
});
/** Blocks of one width; the first halves the map. */
const stage$2 = (o, index, map, rates) => {
	const dim = o.embed_dim[index];
	const before = index ? o.embed_dim[index - 1] : o.stem_width[1];
	const table = () => parameter([
		1,
		dim,
		...map
	], truncNormal(.02), { decay: false });
	return module({
		pos_embed: o.pos_embed === "absolute" ? table() : void 0,
		blocks: rates.map((rate, i) => block$5(o, i ? dim : before, dim, i ? 1 : 2, rate))
	}, (m, x) => m.blocks.reduce((y, block, i) => block(y, i ? void 0 : m.pos_embed), x));
};
/** MaxViT: "Multi-Axis Vision Transformer" (Tu et al. 2022, figure 2 and table 1). */
function maxvit(o) {
	check$8(o);
	const rates = stageRates(o.drop_path_rate, o.depths);
	const image = pair(o.img_size);
	const stages = o.depths.map((_, i) => stage$2(o, i, [image[0] / 2 ** (i + 2), image[1] / 2 ** (i + 2)], rates[i]));
	const last = o.embed_dim[o.embed_dim.length - 1];
	const ends = {
		pool: o.global_pool,
		drop: o.drop_rate
	};
	const hidden = o.head_hidden_size;
	return network({
		stem: stem$2(o),
		stages,
		norm: hidden === null ? layerNorm2d(last, { epsilon: o.norm_eps }) : identity(),
		head: hidden === null ? classifierHead(last, o.num_classes, ends) : normMlpHead(last, o.num_classes, {
			hidden,
			epsilon: o.norm_eps,
			...ends
		})
	}, {
		features: (m, x) => m.norm(m.stages.reduce((y, stage) => stage(y), m.stem(x))),
		head: (m, x) => m.head(x),
		pyramid: (m, x) => {
			const maps = [m.stem(x)];
			for (const stage of m.stages) maps.push(stage(maps[maps.length - 1]));
			return maps;
		},
		featureInfo: [{
			num_chs: o.stem_width[1],
			reduction: 2,
			module: "stem"
		}, ...o.embed_dim.map((num_chs, i) => ({
			num_chs,
			reduction: 2 ** (i + 2),
			module: `stages.${i}`
		}))]
	});
}
/** Sides of the block attention's windows and of the grid attention's grids. */
function windows$1(o) {
	const [height, width] = pair(o.img_size);
	const window = o.window_size === null ? [height / 32, width / 32] : pair(o.window_size);
	return {
		block: window,
		grid: o.grid_size === null ? window : pair(o.grid_size)
	};
}
function check$8(o) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	const { depths, embed_dim, stem_width } = o;
	checkPerStage({
		depths,
		embed_dim
	}, depths.length);
	checkPerStage({ stem_width }, 2);
	const narrow = embed_dim.find((dim) => dim % o.dim_head);
	if (narrow) throw usage(`heads of dim_head=${o.dim_head} do not divide a width of ${narrow}`);
	const image = pair(o.img_size);
	checkMultiple(image, 2 ** (depths.length + 1));
	for (const [kind, window] of Object.entries(windows$1(o))) {
		if (window.length !== 2 || window.some((side) => !Number.isInteger(side) || side < 1)) throw usage(`${kind} attention takes windows of whole pixels, not ${window.join("x")}`);
		depths.forEach((_, i) => {
			const map = image.map((side) => side / 2 ** (i + 2));
			if (map.some((side, axis) => side % window[axis] || window[axis] % 1)) throw usage(`${kind} attention of ${window.join("x")} does not divide the map of ${map.join("x")} of stage ${i}`, "Leave window_size and grid_size out for 1/32 of the image, a multiple of 32");
		});
	}
}
/** As the authors' code, in TensorFlow, has it. */
const TF = {
	stem_bias: true,
	expand_output: true,
	output_bias: true,
	attn_ratio: .25,
	conv_act_layer: "gelu_tanh",
	conv_norm_eps: .001,
	padding: "same",
	act_layer: "gelu_tanh",
	norm_eps: 1e-5,
	head_first: false,
	rel_pos_type: "bias_tf"
};
const narrow = [
	64,
	128,
	256,
	512
];
const wide = [
	96,
	192,
	384,
	768
];
const deep = [
	2,
	6,
	14,
	2
];
const tiny = {
	...TF,
	embed_dim: narrow,
	stem_width: [64, 64],
	head_hidden_size: 512
};
const small = {
	...TF,
	embed_dim: wide,
	stem_width: [64, 64],
	head_hidden_size: 768
};
const base = {
	...small,
	depths: deep
};
const large = {
	...TF,
	embed_dim: [
		128,
		256,
		512,
		1024
	],
	depths: deep,
	stem_width: [128, 128],
	head_hidden_size: 1024
};
const xlarge = {
	...TF,
	embed_dim: [
		192,
		384,
		768,
		1536
	],
	depths: deep,
	stem_width: [192, 192],
	head_hidden_size: 1536
};
/** timm's own sizes: MBConv expands its input, no biases there, the rw initials of their trainer. */
const pico = {
	embed_dim: [
		32,
		64,
		128,
		256
	],
	stem_width: [24, 32]
};
const nano = {
	embed_dim: narrow,
	depths: [
		1,
		2,
		3,
		1
	]
};
const rmlp = { rel_pos_type: "mlp" };
const smallRw = {
	...rmlp,
	embed_dim: wide,
	init_values: 1e-6
};
const baseRw = {
	...rmlp,
	embed_dim: wide,
	depths: deep,
	head_hidden_size: 768
};
const at224 = {
	img_size: 224,
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD
	}
};
const at256$1 = { img_size: 256 };
const at384 = {
	img_size: 384,
	preprocessing: { crop_pct: 1 }
};
const at512 = {
	img_size: 512,
	preprocessing: { crop_pct: 1 }
};
var maxvit_default = family({
	paper: "Tu et al. 2022, MaxViT: Multi-Axis Vision Transformer, arXiv:2204.01697",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		embed_dim: narrow,
		depths: [
			2,
			2,
			5,
			2
		],
		stem_width: [32, 64],
		stem_bias: false,
		window_size: null,
		grid_size: null,
		dim_head: 32,
		head_first: true,
		rel_pos_type: "bias",
		rel_pos_dim: 512,
		pos_embed: "relative",
		mbconv: true,
		block_attn: true,
		grid_attn: true,
		expand_output: false,
		output_bias: false,
		attn_ratio: 1 / 16,
		conv_act_layer: "silu",
		conv_norm_eps: 1e-5,
		padding: "",
		act_layer: "gelu",
		norm_eps: 1e-6,
		init_values: null,
		head_hidden_size: null,
		proj_drop_rate: 0,
		attn_drop_rate: 0
	},
	preprocessing: {
		mean: HALF,
		std: HALF,
		interpolation: "bicubic",
		crop_pct: .95
	},
	build: maxvit,
	stage: (o) => ({
		...o.block_attn && { window: windows$1(o).block.join("x") },
		...o.grid_attn && { grid: windows$1(o).grid.join("x") }
	}),
	variants: {
		maxvit_pico_rw_256: {
			...pico,
			...at256$1
		},
		maxvit_nano_rw_256: {
			...nano,
			...at256$1
		},
		maxvit_tiny_rw_224: {},
		maxvit_tiny_rw_256: at256$1,
		maxvit_rmlp_pico_rw_256: {
			...pico,
			...rmlp,
			...at256$1
		},
		maxvit_rmlp_nano_rw_256: {
			...nano,
			...rmlp,
			...at256$1
		},
		maxvit_rmlp_tiny_rw_256: {
			...rmlp,
			...at256$1
		},
		maxvit_rmlp_small_rw_224: {
			...smallRw,
			preprocessing: { crop_pct: .9 }
		},
		maxvit_rmlp_small_rw_256: {
			...smallRw,
			...at256$1
		},
		maxvit_rmlp_base_rw_224: baseRw,
		maxvit_rmlp_base_rw_384: {
			...baseRw,
			...at384
		},
		maxvit_tiny_tf_224: {
			...tiny,
			...at224
		},
		maxvit_tiny_tf_384: {
			...tiny,
			...at384
		},
		maxvit_tiny_tf_512: {
			...tiny,
			...at512
		},
		maxvit_small_tf_224: {
			...small,
			...at224
		},
		maxvit_small_tf_384: {
			...small,
			...at384
		},
		maxvit_small_tf_512: {
			...small,
			...at512
		},
		maxvit_base_tf_224: {
			...base,
			...at224
		},
		maxvit_base_tf_384: {
			...base,
			...at384
		},
		maxvit_base_tf_512: {
			...base,
			...at512
		},
		maxvit_large_tf_224: {
			...large,
			...at224
		},
		maxvit_large_tf_384: {
			...large,
			...at384
		},
		maxvit_large_tf_512: {
			...large,
			...at512
		},
		maxvit_xlarge_tf_224: {
			...xlarge,
			num_classes: 21843
		},
		maxvit_xlarge_tf_384: {
			...xlarge,
			...at384
		},
		maxvit_xlarge_tf_512: {
			...xlarge,
			...at512
		}
	}
});
//#endregion
//#region src/models/mlp.ts
/**
* The multilayer perceptron: all pixels into one vector, then x = σ(W x + b), `depth` times. It knows nothing of where
* a pixel lies, so it learns as well from images whose pixels are permuted: the control of experiments on inductive
* bias. Its first weight belongs to one image size.
*/
function plainMlp(o) {
	if (o.global_pool !== "") throw new TesseraeError("usage", "a plain MLP has nothing to pool", { hint: "Leave it out" });
	if (o.drop_path_rate > 0) throw new TesseraeError("usage", "a plain MLP has no drop path", { hint: "Leave it at 0" });
	const [height, width] = pair(o.img_size);
	const pixels = o.in_chans * height * width;
	const layer = (i) => module({ fc: linear(i > 0 ? o.embed_dim : pixels, o.embed_dim) }, (m, x) => activation(o.act_layer)(m.fc(x)));
	return network({
		layers: Array.from({ length: o.depth }, (_, i) => layer(i)),
		head_drop: dropout(o.drop_rate),
		head: o.num_classes > 0 ? linear(o.embed_dim, o.num_classes) : identity()
	}, {
		features: (m, x) => m.layers.reduce((y, layer, i) => tap(`layers.${i}.out`, layer(y)), x.reshape([x.shape[0], pixels])),
		head: (m, x) => m.head(m.head_drop(x)),
		pyramid: (m, x) => {
			x = x.reshape([x.shape[0], pixels]);
			return m.layers.map((layer) => {
				x = layer(x);
				return x.reshape([
					x.shape[0],
					o.embed_dim,
					1,
					1
				]);
			});
		},
		featureInfo: Array.from({ length: o.depth }, (_, i) => ({
			num_chs: o.embed_dim,
			reduction: Math.max(height, width),
			module: `layers.${i}`
		}))
	});
}
var mlp_default = family({
	paper: "Rumelhart, Hinton and Williams 1986, Learning representations by back-propagating errors",
	defaults: {
		num_classes: 10,
		img_size: 32,
		in_chans: 3,
		global_pool: "",
		drop_rate: 0,
		drop_path_rate: 0,
		embed_dim: 512,
		depth: 3,
		act_layer: "gelu"
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: 1
	},
	build: plainMlp,
	variants: { mlp: {} }
});
//#endregion
//#region src/nn/tokens.ts
/** Feature map [N, C, H, W] to tokens [N, H·W, C], rows first. */
const toTokens = (x) => x.reshape([
	x.shape[0],
	x.shape[1],
	x.shape[2] * x.shape[3]
]).transpose([
	0,
	2,
	1
]);
/** Tokens [N, H·W, C] to the feature map [N, C, H, W]. */
const toMap = (x, [height, width]) => x.transpose([
	0,
	2,
	1
]).reshape([
	x.shape[0],
	x.shape[2],
	height,
	width
]);
//#endregion
//#region src/models/mlp-mixer.ts
/** U = X + W2 σ(W1 norm(X)) over tokens, Y = U + W4 σ(W3 norm(U)) over channels (eq. 1). */
function block$4(o, length) {
	const make = o.mlp_layer === "glu" ? gluMlp : mlp;
	const options = {
		act: o.act_layer,
		drop: o.proj_drop_rate,
		weightInit: xavierUniform,
		biasInit: normal(1e-6)
	};
	const [tokens, channels] = o.mlp_ratio.map((ratio) => Math.floor(ratio * o.embed_dim));
	return module({
		norm1: layerNorm$2(o.embed_dim),
		mlp_tokens: make(length, tokens, options),
		drop_path1: dropPath(o.drop_path_rate),
		norm2: layerNorm$2(o.embed_dim),
		mlp_channels: make(o.embed_dim, channels, options),
		drop_path2: dropPath(o.drop_path_rate)
	}, (m, x) => {
		x = x.add(m.drop_path1(m.mlp_tokens(m.norm1(x).mT()).mT()));
		return tap("out", x.add(m.drop_path2(m.mlp_channels(m.norm2(x)))));
	});
}
/**
* MLP-Mixer: "An all-MLP Architecture for Vision" (Tolstikhin et al. 2021, figure 1 and table 1). The token-mixing
* weights belong to one number of patches, so another image size is another model.
*/
function mlpMixer(o) {
	check$7(o);
	const patch = pair(o.patch_size);
	const grid = patchGrid(pair(o.img_size), patch);
	const dim = o.embed_dim;
	return network({
		stem: patchEmbed$1(o.in_chans, dim, patch, {
			weightInit: lecunNormal,
			biasInit: zeros
		}),
		blocks: Array.from({ length: o.num_blocks }, () => block$4(o, grid[0] * grid[1])),
		norm: layerNorm$2(dim),
		head_drop: dropout(o.drop_rate),
		head: o.num_classes > 0 ? linear(dim, o.num_classes, {
			weightInit: zeros,
			biasInit: constantInit(o.nlhb ? -Math.log(o.num_classes) : 0)
		}) : identity()
	}, {
		features: (m, x) => m.norm(m.blocks.reduce((y, block) => block(y), m.stem(x))),
		head: (m, x) => m.head(m.head_drop(o.global_pool === "" ? x : x.mean([1]))),
		pyramid: (m, x) => {
			x = m.stem(x);
			return m.blocks.map((block) => {
				x = block(x);
				return toMap(x, grid);
			});
		},
		featureInfo: Array.from({ length: o.num_blocks }, (_, i) => ({
			num_chs: dim,
			reduction: patch[0],
			module: `blocks.${i}`
		}))
	});
}
function check$7(o) {
	const usage = (what) => new TesseraeError("usage", what);
	if (o.global_pool !== "avg" && o.global_pool !== "") throw usage("an MLP-Mixer pools by avg, or not at all");
	if (!Number.isInteger(o.num_blocks) || o.num_blocks < 1) throw usage(`option num_blocks takes a positive whole number, not ${JSON.stringify(o.num_blocks)}`);
	if (o.mlp_layer !== "mlp" && o.mlp_layer !== "glu") throw usage(`mlp_layer is mlp or glu, not ${JSON.stringify(o.mlp_layer)}`);
	const hidden = o.mlp_ratio.map((ratio) => Math.floor(ratio * o.embed_dim));
	const even = o.mlp_layer === "mlp" || hidden.every((h) => h % 2 === 0);
	if (hidden.length !== 2 || hidden.some((h) => !(h >= 1)) || !even) throw usage(`mlp_ratio takes two ratios that give ${o.mlp_layer} layers a width, not ${JSON.stringify(o.mlp_ratio)}`);
}
const SMALL$2 = {
	embed_dim: 512,
	num_blocks: 8
};
const BASE$1 = {
	embed_dim: 768,
	num_blocks: 12
};
const LARGE$2 = {
	embed_dim: 1024,
	num_blocks: 24
};
const gMixer = {
	embed_dim: 384,
	mlp_ratio: [1, 4],
	mlp_layer: "glu",
	act_layer: "silu",
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD
	}
};
var mlp_mixer_default = family({
	paper: "Tolstikhin et al. 2021, MLP-Mixer: An all-MLP Architecture for Vision, arXiv:2105.01601",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		patch_size: 16,
		...BASE$1,
		mlp_ratio: [.5, 4],
		mlp_layer: "mlp",
		act_layer: "gelu",
		proj_drop_rate: 0,
		nlhb: false
	},
	preprocessing: {
		mean: HALF,
		std: HALF,
		interpolation: "bicubic",
		crop_pct: .875
	},
	build: mlpMixer,
	variants: {
		mixer_s32_224: {
			...SMALL$2,
			patch_size: 32
		},
		mixer_s16_224: SMALL$2,
		mixer_b32_224: { patch_size: 32 },
		mixer_b16_224: {},
		mixer_l32_224: {
			...LARGE$2,
			patch_size: 32
		},
		mixer_l16_224: LARGE$2,
		gmixer_12_224: {
			...gMixer,
			num_blocks: 12
		},
		gmixer_24_224: {
			...gMixer,
			num_blocks: 24
		}
	}
});
//#endregion
//#region src/models/mobilenet.ts
const v1Row = (channels, repeats, stride) => [{
	block: "separable",
	repeats,
	kernel: 3,
	stride,
	expand: 1,
	channels,
	se: 0,
	skip: false,
	pointAct: true
}];
const v1 = (o) => ({
	stages: [
		v1Row(64, 1, 1),
		v1Row(128, 2, 2),
		v1Row(256, 2, 2),
		v1Row(512, 6, 2),
		v1Row(1024, 2, 2)
	],
	stem: 32,
	fixStem: o.fix_stem_head,
	fixFirstLast: o.fix_stem_head,
	head: 0
});
const v2Row = (expand, channels, repeats, stride) => [{
	block: expand === 1 ? "separable" : "mbconv",
	repeats,
	kernel: 3,
	stride,
	expand,
	channels,
	se: 0
}];
const v2 = (o) => ({
	stages: [
		v2Row(1, 16, 1, 1),
		v2Row(6, 24, 2, 2),
		v2Row(6, 32, 3, 2),
		v2Row(6, 64, 4, 2),
		v2Row(6, 96, 3, 1),
		v2Row(6, 160, 3, 2),
		v2Row(6, 320, 1, 1)
	],
	stem: 32,
	fixStem: o.fix_stem_head,
	fixFirstLast: o.fix_stem_head,
	head: o.fix_stem_head ? 1280 : Math.max(1280, scaleChannels(o, 1280))
});
const LARGE$1 = [
	[[
		3,
		1,
		16,
		false,
		true,
		1
	]],
	[[
		3,
		4,
		24,
		false,
		true,
		2
	], [
		3,
		3,
		24,
		false,
		true,
		1
	]],
	[[
		5,
		3,
		40,
		true,
		true,
		2,
		3
	]],
	[
		[
			3,
			6,
			80,
			false,
			false,
			2
		],
		[
			3,
			2.5,
			80,
			false,
			false,
			1
		],
		[
			3,
			2.3,
			80,
			false,
			false,
			1,
			2
		]
	],
	[[
		3,
		6,
		112,
		true,
		false,
		1,
		2
	]],
	[[
		5,
		6,
		160,
		true,
		false,
		2,
		3
	]]
];
const SMALL$1 = [
	[[
		3,
		1,
		16,
		true,
		true,
		2
	]],
	[[
		3,
		4.5,
		24,
		false,
		true,
		2
	], [
		3,
		3.67,
		24,
		false,
		true,
		1
	]],
	[[
		5,
		4,
		40,
		true,
		false,
		2
	], [
		5,
		6,
		40,
		true,
		false,
		1,
		2
	]],
	[[
		5,
		3,
		48,
		true,
		false,
		1,
		2
	]],
	[[
		5,
		6,
		96,
		true,
		false,
		2,
		3
	]]
];
function v3(o) {
	const small = o.size.startsWith("small");
	const minimal = o.size.endsWith("minimal");
	const row = ([kernel, expand, channels, se, relu, stride, repeats = 1]) => ({
		block: expand === 1 ? "separable" : "mbconv",
		repeats,
		kernel: minimal ? 3 : kernel,
		stride,
		expand,
		channels,
		se: se && !minimal ? .25 : 0,
		act: relu && !minimal ? "relu" : void 0
	});
	const last = {
		...row([
			1,
			1,
			small ? 576 : 960,
			false,
			false,
			1
		]),
		block: "conv",
		kernel: 1
	};
	return {
		stages: [...(small ? SMALL$1 : LARGE$1).map((stage) => stage.map(row)), [last]],
		stem: 16,
		fixStem: o.channel_multiplier < .75,
		head: small ? 1024 : 1280,
		headAfterPool: true,
		squeeze: {
			of: "expanded",
			divisible: true,
			act: "relu",
			gate: "hard_sigmoid"
		}
	};
}
const preprocessing = {
	mean: IMAGENET_MEAN,
	std: IMAGENET_STD,
	interpolation: "bicubic",
	crop_pct: .875
};
const half = {
	mean: HALF,
	std: HALF
};
const defaults = {
	...MOBILE_DEFAULTS,
	act_layer: "relu6",
	fix_stem_head: false
};
const times$1 = (channel_multiplier) => ({ channel_multiplier });
const deeper = (channel_multiplier, depth_multiplier) => ({
	channel_multiplier,
	depth_multiplier,
	fix_stem_head: true
});
const mobileNetV1 = family({
	paper: "Howard et al. 2017, MobileNets: Efficient Convolutional Neural Networks, arXiv:1704.04861",
	defaults,
	preprocessing: {
		...preprocessing,
		...half
	},
	build: (o) => mobileNetwork(o, v1(o)),
	variants: {
		mobilenetv1_100: {},
		mobilenetv1_125: {
			...times$1(1.25),
			preprocessing: { crop_pct: .9 }
		}
	}
});
const mobileNetV2 = family({
	paper: "Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381",
	defaults,
	preprocessing,
	build: (o) => mobileNetwork(o, v2(o)),
	variants: {
		mobilenetv2_035: times$1(.35),
		mobilenetv2_050: times$1(.5),
		mobilenetv2_075: times$1(.75),
		mobilenetv2_100: {},
		mobilenetv2_140: times$1(1.4),
		mobilenetv2_110d: deeper(1.1, 1.2),
		mobilenetv2_120d: deeper(1.2, 1.4)
	}
});
const relu = { act_layer: "relu" };
const tf = {
	...TENSORFLOW,
	preprocessing: {
		...half,
		interpolation: "bilinear"
	}
};
const mobileNets = [
	mobileNetV1,
	mobileNetV2,
	family({
		paper: "Howard et al. 2019, Searching for MobileNetV3, arXiv:1905.02244",
		defaults: {
			...MOBILE_DEFAULTS,
			act_layer: "hard_swish",
			size: "large"
		},
		preprocessing,
		build: (o) => mobileNetwork(o, v3(o)),
		variants: {
			mobilenetv3_large_075: {
				channel_multiplier: .75,
				preprocessing: { interpolation: "bilinear" }
			},
			mobilenetv3_large_100: {},
			mobilenetv3_large_150d: {
				img_size: 256,
				channel_multiplier: 1.5,
				depth_multiplier: 1.2,
				preprocessing: {
					...half,
					interpolation: "bilinear",
					crop_pct: .95
				}
			},
			mobilenetv3_small_050: {
				size: "small",
				channel_multiplier: .5
			},
			mobilenetv3_small_075: {
				size: "small",
				channel_multiplier: .75
			},
			mobilenetv3_small_100: { size: "small" },
			tf_mobilenetv3_large_075: {
				...tf,
				channel_multiplier: .75
			},
			tf_mobilenetv3_large_100: tf,
			tf_mobilenetv3_large_minimal_100: {
				...tf,
				...relu,
				size: "large_minimal"
			},
			tf_mobilenetv3_small_075: {
				...tf,
				size: "small",
				channel_multiplier: .75
			},
			tf_mobilenetv3_small_100: {
				...tf,
				size: "small"
			},
			tf_mobilenetv3_small_minimal_100: {
				...tf,
				...relu,
				size: "small_minimal"
			}
		}
	})
];
//#endregion
//#region src/nn/adaptive-pool.ts
/**
* Means over `size` windows a side, [N, C, H, W] to [N, C, size, size], by PyTorch's adaptive rule: window i of a side
* of length L covers [floor(i·L / size), ceil((i + 1)·L / size)). Where size divides L these are plain windows;
* elsewhere neighbours share a row or column; where L < size, pixels repeat.
*/
function adaptiveAvgPool(x, size) {
	const [height, width] = pair(size);
	const [h, w] = [x.shape[2] / height, x.shape[3] / width];
	if (h === 1 && w === 1) return x;
	if (Number.isInteger(h) && Number.isInteger(w)) return x.avgPool({
		kernel_shape: [h, w],
		strides: [h, w]
	});
	return windowMeans(height, x.shape[2]).matmul(x).matmul(windowMeans(width, x.shape[3]).mT());
}
/** [size, length]: row i averages window i. */
function windowMeans(size, length) {
	const rows = new Float64Array(size * length);
	for (let i = 0; i < size; i++) {
		const [start, end] = [Math.floor(i * length / size), Math.ceil((i + 1) * length / size)];
		rows.fill(1 / (end - start), i * length + start, i * length + end);
	}
	return constant(rows, [size, length]);
}
//#endregion
//#region src/nn/sr-attention.ts
/**
* Spatial-reduction attention (PVT, eqs. 2 to 4): tokens [N, H·W, C] ask a reduced map,
* SR(x) = norm(conv(x)) with kernel = stride = R, so that scores cost R² times less; or linear attention (PVT v2,
* section 3.2): gelu(norm(conv1x1(pool(x)))), whose cost grows linearly with the image.
*/
const srAttention = (dim, heads, options = {}) => {
	const { srRatio = 1, poolTo, qkvBias = true, attnDrop = 0, projDrop = 0, weightInit, biasInit, convInit } = options;
	if (dim % heads) throw new TesseraeError("usage", `${heads} heads do not divide a width of ${dim}`);
	const kernel = poolTo ? 1 : srRatio;
	const reduces = poolTo !== void 0 || srRatio > 1;
	return module({
		q: linear(dim, dim, {
			bias: qkvBias,
			weightInit,
			biasInit
		}),
		kv: splitLinear(dim, dim, 2, {
			bias: qkvBias,
			weightInit,
			biasInit
		}),
		attn_drop: dropout(attnDrop),
		proj: linear(dim, dim, {
			weightInit,
			biasInit
		}),
		proj_drop: dropout(projDrop),
		sr: reduces ? conv2d(dim, dim, kernel, {
			stride: kernel,
			padding: 0,
			...convInit
		}) : void 0,
		norm: reduces ? layerNorm$2(dim, { epsilon: 1e-5 }) : void 0
	}, (m, x, grid) => {
		const reduce = (y) => {
			if (!m.sr || !m.norm) return y;
			const map = toMap(y, grid);
			const z = m.norm(toTokens(m.sr(poolTo ? adaptiveAvgPool(map, poolTo) : map)));
			return poolTo ? z.gelu() : z;
		};
		const q = splitHeads(m.q(x), heads).mul((dim / heads) ** -.5);
		const [k, v] = m.kv(reduce(x)).map((t) => splitHeads(t, heads));
		const probs = tap("probs", q.matmul(k.mT()).softmax());
		return m.proj_drop(m.proj(joinHeads(m.attn_drop(probs).matmul(v))));
	});
};
//#endregion
//#region src/models/pvt.ts
const STAGES = [
	0,
	1,
	2,
	3
];
const weights$3 = {
	weightInit: truncNormal(.02),
	biasInit: zeros
};
/** [N, C, H, W] to tokens [N, H/P · W/P, D]: flattened patches, projected and normalised. */
const patchEmbed = (inChans, dim, patch) => module({
	proj: conv2d(inChans, dim, patch, {
		stride: patch,
		padding: 0
	}),
	norm: layerNorm$2(dim, { epsilon: 1e-5 })
}, (m, x) => m.norm(toTokens(m.proj(x))));
/** Pre-norm block of stage i: x + sra(norm(x)), then x + mlp(norm(x)). */
const block$3 = (o, i, dropPathRate) => {
	const dim = o.embed_dims[i];
	return module({
		norm1: layerNorm$2(dim),
		attn: srAttention(dim, o.num_heads[i], {
			srRatio: o.sr_ratios[i],
			qkvBias: o.qkv_bias,
			attnDrop: o.attn_drop_rate,
			projDrop: o.proj_drop_rate,
			...weights$3
		}),
		drop_path: dropPath(dropPathRate),
		norm2: layerNorm$2(dim),
		mlp: mlp(dim, Math.floor(dim * o.mlp_ratios[i]), {
			drop: o.proj_drop_rate,
			...weights$3
		})
	}, (m, x, grid) => {
		x = x.add(m.drop_path(m.attn(m.norm1(x), grid)));
		return tap("out", x.add(m.drop_path(m.mlp(m.norm2(x)))));
	});
};
/**
* Pyramid Vision Transformer: "A Versatile Backbone for Dense Prediction without Convolutions" (Wang et al. 2021,
* figure 3 and table 1), in the layout of the authors' code. Four stages at 1/4, 1/8, 1/16 and 1/32 of the image, each
* with a position table of its own; the class token joins in the last.
*/
function pvt(o) {
	check$6(o);
	const grids = STAGES.map((i) => {
		const [height, width] = pair(o.img_size);
		return [height / (o.patch_size * 2 ** i), width / (o.patch_size * 2 ** i)];
	});
	const rates = stageRates(o.drop_path_rate, o.depths);
	const last = o.embed_dims[3];
	const table = (i) => parameter([
		1,
		grids[i][0] * grids[i][1] + Number(i === 3),
		o.embed_dims[i]
	], truncNormal(.02), { grid: {
		size: grids[i],
		prefix: Number(i === 3)
	} });
	const patches = (i) => patchEmbed(i ? o.embed_dims[i - 1] : o.in_chans, o.embed_dims[i], i ? 2 : o.patch_size);
	const blocks = (i) => rates[i].map((rate) => block$3(o, i, rate));
	const children = {
		pos_embed1: table(0),
		pos_embed2: table(1),
		pos_embed3: table(2),
		pos_embed4: table(3),
		cls_token: parameter([
			1,
			1,
			last
		], truncNormal(.02), { decay: false }),
		pos_drop: dropout(o.pos_drop_rate),
		patch_embed1: patches(0),
		block1: blocks(0),
		patch_embed2: patches(1),
		block2: blocks(1),
		patch_embed3: patches(2),
		block3: blocks(2),
		patch_embed4: patches(3),
		block4: blocks(3),
		norm: layerNorm$2(last),
		head_drop: dropout(o.drop_rate),
		head: o.num_classes > 0 ? linear(last, o.num_classes, weights$3) : identity()
	};
	/** Tokens after each stage, [N, H·W, C]; the last holds the class token in front. */
	const stages = (m, image) => {
		const tables = [
			m.pos_embed1,
			m.pos_embed2,
			m.pos_embed3,
			m.pos_embed4
		];
		const embeds = [
			m.patch_embed1,
			m.patch_embed2,
			m.patch_embed3,
			m.patch_embed4
		];
		const bodies = [
			m.block1,
			m.block2,
			m.block3,
			m.block4
		];
		let map = image;
		return STAGES.map((i) => {
			let x = embeds[i](map);
			x = m.pos_drop(i < 3 ? x.add(tables[i]) : withClassToken(x, m.cls_token, tables[i]));
			for (const block of bodies[i]) x = block(x, grids[i]);
			if (i < 3) map = toMap(x, grids[i]);
			return x;
		});
	};
	return network(children, {
		features: (m, x) => m.norm(stages(m, x)[3]),
		head: (m, x) => {
			const pooled = () => o.global_pool === "avg" ? x.slice(1, 1, x.shape[1]).mean([1]) : x.slice(1, 0, 1).squeeze(1);
			return m.head(m.head_drop(o.global_pool === "" ? x : pooled()));
		},
		pyramid: (m, x) => stages(m, x).map((t, i) => toMap(i < 3 ? t : t.slice(1, 1, t.shape[1]), grids[i])),
		featureInfo: STAGES.map((i) => ({
			num_chs: o.embed_dims[i],
			reduction: o.patch_size * 2 ** i,
			module: `block${i + 1}`
		}))
	});
}
/** [class; patches] + table; the batch is padded by a row, and everything constant over it is added at once. */
function withClassToken(patches, token, table) {
	const length = table.shape[1];
	const rows = (t, before, after) => t.pad([
		[0, 0],
		[before, after],
		[0, 0]
	]);
	return rows(patches, 1, 0).add(table.add(rows(token, 0, length - 1)));
}
function check$6(o) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	const { embed_dims, depths, num_heads, mlp_ratios, sr_ratios } = o;
	checkPerStage({
		embed_dims,
		depths,
		num_heads,
		mlp_ratios,
		sr_ratios
	}, 4, ["mlp_ratios"]);
	if (sr_ratios[3] !== 1) throw usage(`the last stage takes no reduction ratio but 1, not ${sr_ratios[3]}`, "It holds the class token");
	if (o.global_pool === "max") throw usage("a PVT pools by token or avg");
	if (o.global_pool === "" && o.num_classes > 0) throw usage("without pooling there is no classifier", "Set num_classes=0, or global_pool=token");
	const image = pair(o.img_size);
	checkMultiple(image, o.patch_size * 8);
	for (const i of STAGES) {
		const side = Math.min(...image) / (o.patch_size * 2 ** i);
		if (side < sr_ratios[i]) throw usage(`stage ${i + 1} has ${side} tokens a side, too few for a reduction ratio of ${sr_ratios[i]}`);
	}
}
var pvt_default = family({
	paper: "Wang et al. 2021, Pyramid Vision Transformer, arXiv:2102.12122",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "token",
		drop_rate: 0,
		drop_path_rate: 0,
		patch_size: 4,
		embed_dims: [
			64,
			128,
			320,
			512
		],
		depths: [
			3,
			4,
			6,
			3
		],
		num_heads: [
			1,
			2,
			5,
			8
		],
		mlp_ratios: [
			8,
			8,
			4,
			4
		],
		sr_ratios: [
			8,
			4,
			2,
			1
		],
		qkv_bias: true,
		pos_drop_rate: 0,
		proj_drop_rate: 0,
		attn_drop_rate: 0
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: .9
	},
	build: pvt,
	stage: (o, i) => ({
		reduction: o.sr_ratios[i],
		expansion: o.mlp_ratios[i]
	}),
	variants: {
		pvt_tiny: { depths: [
			2,
			2,
			2,
			2
		] },
		pvt_small: {},
		pvt_medium: { depths: [
			3,
			4,
			18,
			3
		] },
		pvt_large: { depths: [
			3,
			8,
			27,
			3
		] }
	}
});
//#endregion
//#region src/models/pvt-v2.ts
/** Side P of the pooled map of linear attention (section 3.2). */
const POOL = 7;
const weights$2 = {
	weightInit: truncNormal(.02),
	biasInit: zeros
};
const convInit = (groups = 1) => ({
	weightInit: kaimingNormalFanOut(groups),
	biasInit: zeros
});
/** Overlapping patches (section 3.3): kernel 2S - 1 at stride S, padding S - 1. [N, C, H, W] to tokens and their grid. */
const overlapPatchEmbed = (inChans, dim, stride) => module({
	proj: conv2d(inChans, dim, 2 * stride - 1, {
		stride,
		padding: stride - 1,
		...convInit()
	}),
	norm: layerNorm$2(dim, { epsilon: 1e-5 })
}, (m, x) => {
	const map = m.proj(x);
	return {
		tokens: m.norm(toTokens(map)),
		grid: [map.shape[2], map.shape[3]]
	};
});
/** Convolutional feed-forward (section 3.4): a 3 x 3 depthwise convolution between the layers, and with it positions. */
const convMlp = (dim, hidden, { linear: extraRelu, proj_drop_rate: drop }) => module({
	fc1: linear(dim, hidden, weights$2),
	dwconv: conv2d(hidden, hidden, 3, {
		groups: hidden,
		...convInit(hidden)
	}),
	drop1: dropout(drop),
	fc2: linear(hidden, dim, weights$2),
	drop2: dropout(drop)
}, (m, x, grid) => {
	const y = toMap(m.fc1(x), grid);
	const z = toTokens(m.dwconv(extraRelu ? y.relu() : y));
	return m.drop2(m.fc2(m.drop1(z.gelu())));
});
/** Pre-norm block of stage i: x + attn(norm(x)), then x + mlp(norm(x)). */
const block$2 = (o, i, dropPathRate) => {
	const dim = o.embed_dims[i];
	return module({
		norm1: layerNorm$2(dim),
		attn: srAttention(dim, o.num_heads[i], {
			srRatio: o.sr_ratios[i],
			poolTo: o.linear ? POOL : void 0,
			qkvBias: o.qkv_bias,
			attnDrop: o.attn_drop_rate,
			projDrop: o.proj_drop_rate,
			convInit: convInit(),
			...weights$2
		}),
		drop_path1: dropPath(dropPathRate),
		norm2: layerNorm$2(dim),
		mlp: convMlp(dim, Math.floor(dim * o.mlp_ratios[i]), o),
		drop_path2: dropPath(dropPathRate)
	}, (m, x, grid) => {
		x = x.add(m.drop_path1(m.attn(m.norm1(x), grid)));
		return tap("out", x.add(m.drop_path2(m.mlp(m.norm2(x), grid))));
	});
};
/** Stage i on tokens (the first) or on the feature map before it, to a feature map [N, C, H, W]. */
const stage$1 = (o, i, rates) => module({
	downsample: i > 0 ? overlapPatchEmbed(o.embed_dims[i - 1], o.embed_dims[i], 2) : void 0,
	blocks: rates.map((rate) => block$2(o, i, rate)),
	norm: layerNorm$2(o.embed_dims[i])
}, (m, input) => {
	let { tokens: x, grid } = m.downsample ? m.downsample(input) : input;
	for (const block of m.blocks) x = block(x, grid);
	return toMap(m.norm(x), grid);
});
/**
* PVT v2: "Improved Baselines with Pyramid Vision Transformer" (Wang et al. 2022, figures 1 and 2, table 1).
* No position table: padded convolutions tell positions, so that any image size goes through the same weights.
*/
function pvtV2(o) {
	check$5(o);
	const rates = stageRates(o.drop_path_rate, o.depths);
	return network({
		patch_embed: overlapPatchEmbed(o.in_chans, o.embed_dims[0], 4),
		stages: o.embed_dims.map((_, i) => stage$1(o, i, rates[i])),
		global_pool: globalPool(o.global_pool, o.num_classes),
		head_drop: dropout(o.drop_rate),
		head: o.num_classes > 0 ? linear(o.embed_dims[3], o.num_classes, weights$2) : identity()
	}, {
		features: (m, x) => m.stages.reduce((y, stage) => stage(y), m.patch_embed(x)),
		head: (m, x) => m.head(m.head_drop(m.global_pool(x))),
		pyramid: (m, x) => {
			let y = m.patch_embed(x);
			return m.stages.map((stage) => y = stage(y));
		},
		featureInfo: o.embed_dims.map((num_chs, i) => ({
			num_chs,
			reduction: 4 * 2 ** i,
			module: `stages.${i}`
		}))
	});
}
function check$5(o) {
	const { embed_dims, depths, num_heads, mlp_ratios, sr_ratios } = o;
	checkPerStage({
		embed_dims,
		depths,
		num_heads,
		mlp_ratios,
		sr_ratios
	}, 4, ["mlp_ratios"]);
	if (o.linear) return;
	const smallest = Math.max(...sr_ratios.map((r, i) => r > 1 ? (r - 1) * 4 * 2 ** i + 1 : 1));
	const image = pair(o.img_size);
	if (Math.min(...image) < smallest) throw new TesseraeError("usage", `image size ${image.join("x")} is too small for the reduction ratios ${sr_ratios}`, { hint: `The nearest that fits is ${image.map((s) => Math.max(s, smallest)).join("x")}` });
}
var pvt_v2_default = family({
	paper: "Wang et al. 2022, PVT v2: Improved Baselines with Pyramid Vision Transformer, arXiv:2106.13797",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		embed_dims: [
			64,
			128,
			320,
			512
		],
		depths: [
			3,
			4,
			6,
			3
		],
		num_heads: [
			1,
			2,
			5,
			8
		],
		mlp_ratios: [
			8,
			8,
			4,
			4
		],
		sr_ratios: [
			8,
			4,
			2,
			1
		],
		qkv_bias: true,
		linear: false,
		proj_drop_rate: 0,
		attn_drop_rate: 0
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: .9
	},
	build: pvtV2,
	stage: (o, i) => ({
		...o.linear ? { pooled: `${POOL}x${POOL}` } : { reduction: o.sr_ratios[i] },
		expansion: o.mlp_ratios[i]
	}),
	variants: {
		pvt_v2_b0: {
			embed_dims: [
				32,
				64,
				160,
				256
			],
			depths: [
				2,
				2,
				2,
				2
			]
		},
		pvt_v2_b1: { depths: [
			2,
			2,
			2,
			2
		] },
		pvt_v2_b2: {},
		pvt_v2_b2_li: { linear: true },
		pvt_v2_b3: { depths: [
			3,
			4,
			18,
			3
		] },
		pvt_v2_b4: { depths: [
			3,
			8,
			27,
			3
		] },
		pvt_v2_b5: {
			depths: [
				3,
				6,
				40,
				3
			],
			mlp_ratios: [
				4,
				4,
				4,
				4
			]
		}
	}
});
//#endregion
//#region src/models/resnet.ts
const EXPANSION = {
	basic: 1,
	bottleneck: 4
};
const conv$2 = (inChans, out, kernel, options = {}) => conv2d(inChans, out, kernel, {
	bias: false,
	weightInit: kaimingNormalFanOut(),
	...options
});
/** relu(F(x) + shortcut(x)), F two 3x3 convolutions (figure 5, left). */
const basicBlock = (o, p) => module({
	conv1: conv$2(p.inChans, p.planes, 3, {
		stride: p.stride,
		dilation: p.dilation[0]
	}),
	bn1: batchNorm$1(p.planes),
	conv2: conv$2(p.planes, p.planes, 3, { dilation: p.dilation[1] }),
	bn2: batchNorm$1(p.planes, { weightInit: o.zero_init_last ? zeros : ones }),
	downsample: shortcut$1(o, p),
	drop_path: dropPath(p.dropPath)
}, (m, x) => {
	const f = activation(o.act_layer);
	const y = m.bn2(m.conv2(f(m.bn1(m.conv1(x)))));
	return f(m.drop_path(y).add(m.downsample(x)));
});
/** The same with F of 1x1, 3x3, 1x1 (figure 5, right); the stride is in the 3x3, as everyone has it since Torch. */
const bottleneck$2 = (o, p) => module({
	conv1: conv$2(p.inChans, p.planes, 1),
	bn1: batchNorm$1(p.planes),
	conv2: conv$2(p.planes, p.planes, 3, {
		stride: p.stride,
		dilation: p.dilation[0]
	}),
	bn2: batchNorm$1(p.planes),
	conv3: conv$2(p.planes, 4 * p.planes, 1),
	bn3: batchNorm$1(4 * p.planes, { weightInit: o.zero_init_last ? zeros : ones }),
	downsample: shortcut$1(o, p),
	drop_path: dropPath(p.dropPath)
}, (m, x) => {
	const f = activation(o.act_layer);
	const y = f(m.bn2(m.conv2(f(m.bn1(m.conv1(x))))));
	return f(m.drop_path(m.bn3(m.conv3(y))).add(m.downsample(x)));
});
/** Identity where the shape stays, else a projection (section 3.3, option B; He, T. et al., figure 2c for avg_down). */
function shortcut$1(o, { inChans, planes, stride, dilation }) {
	const out = EXPANSION[o.block] * planes;
	if (stride === 1 && inChans === out) return identity();
	if (!o.avg_down) return sequential(conv$2(inChans, out, 1, { stride }), batchNorm$1(out));
	return sequential(averageDown(stride, dilation[1]), conv$2(inChans, out, 1), batchNorm$1(out));
}
/** Means of 2x2 pixels, at every pixel where the stage dilates; windows at odd borders hold fewer pixels. */
const averageDown = (stride, dilation) => stride === 1 && dilation === 1 ? identity() : fn((x) => dilation === 1 ? x.avgPool({
	kernel_shape: [2, 2],
	strides: [stride, stride],
	ceil_mode: 1
}) : x.avgPool({
	kernel_shape: [2, 2],
	pads: [
		0,
		0,
		1,
		1
	],
	count_include_pad: 1
}));
/** [N, in, H, W] to [N, 64, H/2, W/2], before norm and activation. */
function stem$1(o) {
	const w = o.stem_width;
	if (o.stem_type === "") return {
		width: 64,
		conv1: conv$2(o.in_chans, 64, 7, { stride: 2 })
	};
	const first = o.stem_type === "deep" ? w : 3 * Math.floor(w / 4);
	const layers = [
		...[
			conv$2(o.in_chans, first, 3, { stride: 2 }),
			batchNorm$1(first),
			act(o.act_layer)
		],
		...[
			conv$2(first, w, 3),
			batchNorm$1(w),
			act(o.act_layer)
		],
		conv$2(w, 2 * w, 3)
	];
	return {
		width: 2 * w,
		conv1: sequential(...layers)
	};
}
/** Blocks of the four stages, and the stride that each ends at. */
function stages(o, width) {
	const rates = stageRates(o.drop_path_rate, o.layers);
	let [inChans, reduction, dilation] = [
		width,
		4,
		1
	];
	return o.layers.map((depth, s) => {
		const planes = o.channels[s];
		const before = dilation;
		const step = s === 0 ? 1 : 2;
		const stride = reduction < o.output_stride ? step : 1;
		reduction *= stride;
		dilation *= step / stride;
		return {
			blocks: Array.from({ length: depth }, (_, i) => {
				const place = {
					inChans,
					planes,
					stride: i === 0 ? stride : 1,
					dilation: [i === 0 ? before : dilation, dilation],
					dropPath: rates[s][i]
				};
				inChans = EXPANSION[o.block] * planes;
				return o.block === "basic" ? basicBlock(o, place) : bottleneck$2(o, place);
			}),
			info: {
				num_chs: inChans,
				reduction,
				module: `layer${s + 1}`
			}
		};
	});
}
/**
* ResNet: "Deep Residual Learning for Image Recognition" (He, K. et al. 2016, table 1), stride in the 3x3 convolution;
* the d variants' stem and shortcuts from "Bag of Tricks" (He, T. et al. 2019, figure 2).
*/
function resNet(o) {
	check$4(o);
	const { width, conv1 } = stem$1(o);
	const [layer1, layer2, layer3, layer4] = stages(o, width);
	const features = layer4.info.num_chs;
	const start = (m, x) => activation(o.act_layer)(m.bn1(m.conv1(x)));
	const pool = (x) => x.maxPool({
		kernel_shape: [3, 3],
		strides: [2, 2],
		pads: [
			1,
			1,
			1,
			1
		]
	});
	const run = (name, blocks, x) => blocks.reduce((y, block, i) => tap(`${name}.${i}.out`, block(y)), x);
	return network({
		conv1,
		bn1: batchNorm$1(width),
		layer1: layer1.blocks,
		layer2: layer2.blocks,
		layer3: layer3.blocks,
		layer4: layer4.blocks,
		global_pool: globalPool(o.global_pool, o.num_classes),
		drop: dropout(o.drop_rate),
		fc: o.num_classes > 0 ? linear(features, o.num_classes) : identity()
	}, {
		features: (m, x) => {
			x = run("layer1", m.layer1, pool(start(m, x)));
			x = run("layer2", m.layer2, x);
			x = run("layer3", m.layer3, x);
			return run("layer4", m.layer4, x);
		},
		head: (m, x) => m.fc(m.drop(m.global_pool(x))),
		pyramid: (m, x) => {
			const c1 = start(m, x);
			const c2 = run("layer1", m.layer1, pool(c1));
			const c3 = run("layer2", m.layer2, c2);
			const c4 = run("layer3", m.layer3, c3);
			return [
				c1,
				c2,
				c3,
				c4,
				run("layer4", m.layer4, c4)
			];
		},
		featureInfo: [{
			num_chs: width,
			reduction: 2,
			module: "act1"
		}, ...[
			layer1,
			layer2,
			layer3,
			layer4
		].map((s) => s.info)]
	});
}
function check$4(o) {
	const usage = (what) => new TesseraeError("usage", what);
	checkPerStage({
		layers: o.layers,
		channels: o.channels
	}, 4);
	if (!Object.hasOwn(EXPANSION, o.block)) throw usage(`block is basic or bottleneck, not ${JSON.stringify(o.block)}`);
	if (![
		"",
		"deep",
		"deep_tiered"
	].includes(o.stem_type)) throw usage(`stem_type is deep, deep_tiered or empty, not ${JSON.stringify(o.stem_type)}`);
	if (![
		8,
		16,
		32
	].includes(o.output_stride)) throw usage(`output_stride is 8, 16 or 32, not ${o.output_stride}`);
}
const BASIC = (...layers) => ({
	block: "basic",
	layers
});
const BOTTLENECK = (...layers) => ({
	block: "bottleneck",
	layers
});
const D$1 = {
	stem_width: 32,
	stem_type: "deep",
	avg_down: true,
	preprocessing: { crop_pct: .875 }
};
const at256 = {
	img_size: 256,
	preprocessing: { crop_pct: .95 }
};
var resnet_default = family({
	paper: "He et al. 2016, Deep Residual Learning for Image Recognition, arXiv:1512.03385",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		block: "bottleneck",
		layers: [
			3,
			4,
			6,
			3
		],
		channels: [
			64,
			128,
			256,
			512
		],
		stem_type: "",
		stem_width: 64,
		avg_down: false,
		output_stride: 32,
		act_layer: "relu",
		zero_init_last: true
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: .95
	},
	build: resNet,
	variants: {
		resnet18: BASIC(2, 2, 2, 2),
		resnet18d: {
			...BASIC(2, 2, 2, 2),
			...D$1
		},
		resnet34: BASIC(3, 4, 6, 3),
		resnet34d: {
			...BASIC(3, 4, 6, 3),
			...D$1
		},
		resnet26: {
			...BOTTLENECK(2, 2, 2, 2),
			preprocessing: { crop_pct: .875 }
		},
		resnet26d: {
			...BOTTLENECK(2, 2, 2, 2),
			...D$1
		},
		resnet50: BOTTLENECK(3, 4, 6, 3),
		resnet50d: {
			...BOTTLENECK(3, 4, 6, 3),
			...D$1
		},
		resnet101: BOTTLENECK(3, 4, 23, 3),
		resnet101d: {
			...BOTTLENECK(3, 4, 23, 3),
			...D$1,
			...at256
		},
		resnet152: BOTTLENECK(3, 8, 36, 3),
		resnet152d: {
			...BOTTLENECK(3, 8, 36, 3),
			...D$1,
			...at256
		}
	}
});
//#endregion
//#region src/nn/local-attention.ts
/** Scores of keys outside a query's window; far below any other, so that their probability is 0. */
const OUTSIDE = -1e9;
/** Offsets key - query, counted from `first`, of `queries` positions and `keys` positions; `span` entries. */
const axisOffsets = (queries, keys, first, span) => Array.from({ length: queries }, (_, q) => Array.from({ length: keys }, (_, k) => k - q - first >= 0 && k - q - first < span ? k - q - first : void 0));
/** Learned embeddings of `span` row and column offsets: each half of every head's channels. */
const relativeEmbedding = (heads, d, span) => {
	if (d % 2) throw new TesseraeError("usage", `heads of ${d} channels cannot be halved into rows and columns`);
	const table = () => parameter([
		heads,
		d / 2,
		span
	], normal(d ** -.5), { decay: false });
	return module(
		{
			rows: table(),
			columns: table()
		},
		/** q·r (eq. 3's second term) of queries [B, heads, h, w, d] and keys [h', w'], [B, heads, h, w, h', w']. */
		(m, q, rowOffsets, columnOffsets) => {
			const [a, b] = q.split(2, 4);
			const byRow = along(a, m.rows, rowOffsets);
			const byColumn = along(b.transpose([
				0,
				1,
				3,
				2,
				4
			]), m.columns, columnOffsets).transpose([
				0,
				1,
				3,
				2,
				4
			]);
			return byRow.unsqueeze(5).add(byColumn.unsqueeze(4));
		}
	);
};
/** q [B, heads, i, ·, d/2] times the embedding [heads, d/2, span] of the offset of i and j: [B, heads, i, ·, j]. */
function along(q, embedding, offsets) {
	const [heads, half, span] = embedding.shape;
	const [queries, keys] = [offsets.length, offsets[0].length];
	const inside = offsets.every((row) => !row.includes(void 0));
	const index = constant(offsets.flatMap((row) => row.map((o) => o ?? span)), [queries * keys], "int64");
	const table = (inside ? embedding : embedding.pad([
		[0, 0],
		[0, 0],
		[0, 1]
	])).gather(index, 2).reshape([
		heads,
		half,
		queries,
		keys
	]).transpose([
		0,
		2,
		1,
		3
	]);
	const products = q.matmul(table);
	if (inside) return products;
	const mask = offsets.flatMap((row) => row.map((o) => o === void 0 ? OUTSIDE : 0));
	return products.add(constant(mask, [
		queries,
		1,
		keys
	]));
}
/**
* softmax over keys of q·k + q·r, times v: queries [B, heads, h, w, d], keys [B, heads, d, h'·w'], values
* [B, heads, h'·w', d] and scores of positions [B, heads, h, w, h', w'], to [B, heads, h·w, d].
*/
function positionedAttention(q, k, v, positions) {
	const [b, heads, h, w, d] = q.shape;
	const keys = k.shape[3];
	return tap("probs", q.reshape([
		b,
		heads,
		h * w,
		d
	]).matmul(k).add(positions.reshape([
		b,
		heads,
		h * w,
		keys
	])).softmax()).matmul(v);
}
/** Length of the blocks that an axis is cut into: from 5 to 8, with the fewest places left over. */
function blockLength(size) {
	if (size <= 8) return size;
	const covered = (b) => Math.ceil(size / b) * b;
	return [
		7,
		8,
		6,
		5
	].reduce((best, b) => covered(b) < covered(best) ? b : best);
}
/**
* Local self-attention (Ramachandran et al. 2019, eq. 3): every pixel asks the k x k pixels around it,
*   y_ij = Σ_ab softmax_ab(q_ij·k_ab + q_ij·r_{a-i,b-j}) v_ab,
* per head, with r the embeddings of row and column offset side by side. As in a padded convolution, pixels beyond
* the border are zeros: they have a position but no content. [N, C, H, W] to the same.
*
* Runs by blocks: the queries of a block share the keys of the block and its halo, so that keys are copied about three
* times rather than k² times; a mask leaves each query its own window.
*/
const localAttention = (dim, { heads, kernel }) => {
	if (dim % heads) throw new TesseraeError("usage", `${heads} heads do not divide a width of ${dim}`);
	if (kernel % 2 === 0 || !Number.isInteger(kernel)) throw new TesseraeError("usage", `the window of local attention has an odd side, not ${kernel}`);
	const project = () => conv2d(dim, dim, 1, {
		bias: false,
		weightInit: kaimingNormalFanOut()
	});
	const d = dim / heads;
	return module({
		query: project(),
		key: project(),
		value: project(),
		relative: relativeEmbedding(heads, d, kernel)
	}, (m, x) => {
		const [n, , height, width] = x.shape;
		const block = [blockLength(height), blockLength(width)];
		const count = [Math.ceil(height / block[0]), Math.ceil(width / block[1])];
		const halo = [block[0] + kernel - 1, block[1] + kernel - 1];
		const blocks = n * count[0] * count[1];
		/** Block layout [N, heads, d, ny, h, nx, w] of a map with borders of `border` pixels. */
		const cut = (t, sides, border) => {
			const behind = (i) => count[i] * block[i] - t.shape[2 + i] + border;
			return windows(windows(t.pad([
				[0, 0],
				[0, 0],
				[border, behind(0)],
				[border, behind(1)]
			]), 2, count[0], block[0], sides[0]), 4, count[1], block[1], sides[1]).reshape([
				n,
				heads,
				d,
				count[0],
				sides[0],
				count[1],
				sides[1]
			]);
		};
		const border = (kernel - 1) / 2;
		const q = cut(m.query(x), block, 0).transpose([
			0,
			3,
			5,
			1,
			4,
			6,
			2
		]).reshape([
			blocks,
			heads,
			...block,
			d
		]);
		const keys = halo[0] * halo[1];
		const k = cut(m.key(x), halo, border).transpose([
			0,
			3,
			5,
			1,
			2,
			4,
			6
		]).reshape([
			blocks,
			heads,
			d,
			keys
		]);
		const v = cut(m.value(x), halo, border).transpose([
			0,
			3,
			5,
			1,
			4,
			6,
			2
		]).reshape([
			blocks,
			heads,
			keys,
			d
		]);
		const [rows, columns] = [0, 1].map((i) => axisOffsets(block[i], halo[i], 0, kernel));
		return positionedAttention(q, k, v, m.relative(q, rows, columns)).reshape([
			n,
			...count,
			heads,
			...block,
			d
		]).transpose([
			0,
			3,
			6,
			1,
			4,
			2,
			5
		]).reshape([
			n,
			dim,
			count[0] * block[0],
			count[1] * block[1]
		]).slice(2, 0, height).slice(3, 0, width);
	});
};
/** An axis of count·step + (length - step) places as [count, length]: windows of a length, `step` apart. */
function windows(x, axis, count, step, length) {
	if (count === 1 || length === step) return x.reshape([
		...x.shape.slice(0, axis),
		count,
		length,
		...x.shape.slice(axis + 1)
	]);
	const index = Array.from({ length: count * length }, (_, i) => Math.floor(i / length) * step + i % length);
	return x.gather(constant(index, [count, length], "int64"), axis);
}
//#endregion
//#region src/models/sasa.ts
const conv$1 = (inChans, out, kernel, stride = 1) => conv2d(inChans, out, kernel, {
	stride,
	bias: false,
	weightInit: kaimingNormalFanOut()
});
/** Side of the blocks in which the attention stem attends and pools. */
const STEM_BLOCK = 4;
/** Value matrices that the attention stem blends (the appendix's m). */
const MIXTURES = 4;
/**
* Values ṽ_ab = (Σ_m p(a, b, m) W_V^m) x_ab with p = softmax_m((row_a + column_b)·ν^m) (section 3.2): a projection
* of its own for each place of a block, blended from few. Blocks [B, 16, C] to [B, 16, out].
*/
const spatialValue = (inChans, out) => module({
	weight: parameter([
		MIXTURES,
		out,
		inChans
	], uniform(inChans ** -.5)),
	rows: parameter([
		STEM_BLOCK,
		1,
		out
	], normal(1), { decay: false }),
	columns: parameter([
		1,
		STEM_BLOCK,
		out
	], normal(1), { decay: false }),
	mixtures: parameter([MIXTURES, out], normal(out ** -.5), { decay: false })
}, (m, x) => {
	const places = STEM_BLOCK ** 2;
	const weights = m.rows.add(m.columns).reshape([places, out]).matmul(m.mixtures.mT()).softmax().matmul(m.weight.reshape([MIXTURES, out * inChans])).reshape([
		places,
		out,
		inChans
	]);
	return x.transpose([
		1,
		0,
		2
	]).matmul(weights.mT()).transpose([
		1,
		0,
		2
	]);
});
/** Attention within 4x4 blocks, batch norm, 4x4 max pool (section 4.1): [N, C, H, W] to [N, out, H/4, W/4]. */
const attentionStem = (inChans, out, heads) => module({
	query_key: splitLinear(inChans, out, 2, { bias: false }),
	value: spatialValue(inChans, out),
	relative: relativeEmbedding(heads, out / heads, 2 * STEM_BLOCK - 1),
	bn: batchNorm$1(out)
}, (m, x) => {
	const [s, d] = [STEM_BLOCK, out / heads];
	const [n, , height, width] = x.shape;
	const [rows, columns, blocks] = [
		height / s,
		width / s,
		n * height * width / (s * s)
	];
	const pixels = x.reshape([
		n,
		inChans,
		rows,
		s,
		columns,
		s
	]).transpose([
		0,
		2,
		4,
		3,
		5,
		1
	]).reshape([
		blocks,
		s * s,
		inChans
	]);
	const [q, k] = m.query_key(pixels).map((t) => t.reshape([
		blocks,
		s,
		s,
		heads,
		d
	]));
	const v = m.value(pixels).reshape([
		blocks,
		s * s,
		heads,
		d
	]).transpose([
		0,
		2,
		1,
		3
	]);
	const queries = q.transpose([
		0,
		3,
		1,
		2,
		4
	]);
	const keys = k.transpose([
		0,
		3,
		4,
		1,
		2
	]).reshape([
		blocks,
		heads,
		d,
		s * s
	]);
	const offsets = axisOffsets(s, s, 1 - s, 2 * s - 1);
	const map = positionedAttention(queries, keys, v, m.relative(queries, offsets, offsets)).reshape([
		n,
		rows,
		columns,
		heads,
		s,
		s,
		d
	]).transpose([
		0,
		3,
		6,
		1,
		4,
		2,
		5
	]);
	return m.bn(map.reshape([
		n,
		out,
		height,
		width
	])).maxPool({
		kernel_shape: [s, s],
		strides: [s, s]
	});
});
const convStem = (inChans, out) => sequential(conv$1(inChans, out, 7, 2), batchNorm$1(out), act("relu"), fn((x) => x.maxPool({
	kernel_shape: [3, 3],
	strides: [2, 2],
	pads: [
		1,
		1,
		1,
		1
	]
})));
/** ResNet's bottleneck with attention for its 3x3 convolution; 2x2 average pooling after it halves the map. */
const bottleneck$1 = (o, inChans, planes, stride, dropPathRate) => {
	const out = 4 * planes;
	const shortcut = stride !== 1 || inChans !== out;
	return module({
		conv1: conv$1(inChans, planes, 1),
		bn1: batchNorm$1(planes),
		attn: localAttention(planes, {
			heads: o.num_heads,
			kernel: o.kernel_size
		}),
		bn2: batchNorm$1(planes),
		conv3: conv$1(planes, out, 1),
		bn3: batchNorm$1(out, { weightInit: zeros }),
		drop_path: dropPath(dropPathRate),
		downsample: shortcut ? sequential(conv$1(inChans, out, 1, stride), batchNorm$1(out)) : void 0
	}, (m, x) => {
		let y = m.attn(m.bn1(m.conv1(x)).relu());
		if (stride > 1) y = y.avgPool({
			kernel_shape: [stride, stride],
			strides: [stride, stride],
			ceil_mode: 1
		});
		y = m.drop_path(m.bn3(m.conv3(m.bn2(y).relu())));
		return tap("out", y.add(m.downsample?.(x) ?? x).relu());
	});
};
/**
* "Stand-Alone Self-Attention in Vision Models" (Ramachandran et al. 2019, section 4.1 and table 1): a ResNet whose
* every spatial convolution is local self-attention. Queries, keys and values are dense 1x1 projections: table 1's
* parameter counts say so, though section 2.2 describes one group of channels a head.
*/
function sasa(o) {
	check$3(o);
	const rates = stageRates(o.drop_path_rate, o.layers);
	const stage = (i) => rates[i].map((rate, j) => {
		const before = i === 0 ? o.channels[0] : 4 * o.channels[i - 1];
		return bottleneck$1(o, j === 0 ? before : 4 * o.channels[i], o.channels[i], j === 0 && i > 0 ? 2 : 1, rate);
	});
	const stem = o.stem === "conv" ? convStem(o.in_chans, o.channels[0]) : attentionStem(o.in_chans, o.channels[0], o.num_heads);
	const width = 4 * o.channels[3];
	const run = (x, blocks) => blocks.reduce((y, block) => block(y), x);
	return network({
		stem,
		layer1: stage(0),
		layer2: stage(1),
		layer3: stage(2),
		layer4: stage(3),
		global_pool: globalPool(o.global_pool, o.num_classes),
		head_drop: dropout(o.drop_rate),
		fc: o.num_classes > 0 ? linear(width, o.num_classes) : identity()
	}, {
		features: (m, x) => [
			m.layer1,
			m.layer2,
			m.layer3,
			m.layer4
		].reduce(run, m.stem(x)),
		head: (m, x) => m.fc(m.head_drop(m.global_pool(x))),
		pyramid: (m, x) => {
			let y = m.stem(x);
			return [
				m.layer1,
				m.layer2,
				m.layer3,
				m.layer4
			].map((layer) => y = run(y, layer));
		},
		featureInfo: o.channels.map((c, i) => ({
			num_chs: 4 * c,
			reduction: 4 * 2 ** i,
			module: `layer${i + 1}`
		}))
	});
}
function check$3(o) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	checkPerStage({
		layers: o.layers,
		channels: o.channels
	}, 4);
	if (o.stem !== "conv" && o.stem !== "attention") throw usage(`stem is conv or attention, not ${JSON.stringify(o.stem)}`);
	if (o.stem === "attention") checkMultiple(pair(o.img_size), STEM_BLOCK);
}
var sasa_default = family({
	paper: "Ramachandran et al. 2019, Stand-Alone Self-Attention in Vision Models, arXiv:1906.05909",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		layers: [
			3,
			4,
			6,
			3
		],
		channels: [
			64,
			128,
			256,
			512
		],
		num_heads: 8,
		kernel_size: 7,
		stem: "conv"
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bilinear",
		crop_pct: .875
	},
	build: sasa,
	stage: (o) => ({ window: `${o.kernel_size}x${o.kernel_size}` }),
	variants: {
		sasa_resnet26: { layers: [
			1,
			2,
			4,
			1
		] },
		sasa_resnet38: { layers: [
			2,
			3,
			5,
			2
		] },
		sasa_resnet50: {}
	}
});
//#endregion
//#region src/models/swin.ts
const weights$1 = {
	weightInit: truncNormal(.02),
	biasInit: zeros
};
const layerNorm = (dim, weightInit = ones) => layerNorm$2(dim, {
	epsilon: 1e-5,
	weightInit
});
/** Attention within windows [N · windows, L, C] with relative position bias (eq. 4). */
const windowAttention = (o, { dim, heads, layout }) => {
	const position = relativePositionBias(layout.window, heads);
	return module({
		...position.children,
		qkv: splitLinear(dim, dim, 3, {
			bias: o.qkv_bias,
			...weights$1
		}),
		attn_drop: dropout(o.attn_drop_rate),
		proj: linear(dim, dim, weights$1),
		proj_drop: dropout(o.proj_drop_rate)
	}, (m, x, mask) => {
		const [q, k, v] = m.qkv(x).map((t) => splitHeads(t, heads));
		const bias = position.forward(m);
		const y = attend(q.mul((dim / heads) ** -.5), k, v, {
			bias: mask ? bias.add(mask) : bias,
			drop: m.attn_drop
		});
		return m.proj_drop(m.proj(joinHeads(y)));
	});
};
/** Eq. 3: x + attn(norm(x)) in windows, shifted in every other block, then x + mlp(norm(x)); maps [N, H, W, C]. */
const block$1 = (o, place) => {
	const { dim, layout } = place;
	return module({
		norm1: layerNorm(dim),
		attn: windowAttention(o, place),
		drop_path1: dropPath(place.dropPath),
		norm2: layerNorm(dim),
		mlp: mlp(dim, Math.floor(dim * o.mlp_ratio), {
			drop: o.proj_drop_rate,
			...weights$1
		}),
		drop_path2: dropPath(place.dropPath)
	}, (m, x) => {
		x = x.add(m.drop_path1(inWindows(m.norm1(x), layout, m.attn)));
		return tap("out", x.add(m.drop_path2(m.mlp(m.norm2(x)))));
	});
};
/** 2 x 2 neighbours, normalised, to one pixel of twice the channels (section 3.1). */
const merge$1 = (dim) => module({
	norm: layerNorm(4 * dim),
	reduction: linear(4 * dim, 2 * dim, {
		...weights$1,
		bias: false
	})
}, (m, x) => m.reduction(m.norm(neighbours(x))));
/** [N, H, W, C] to [N, H/2, W/2, 4C], a last odd row or column beside zeros. */
function neighbours(x) {
	const [n, height, width, c] = x.shape;
	const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
	return x.pad([
		[0, 0],
		[0, height % 2],
		[0, width % 2],
		[0, 0]
	]).reshape([
		n,
		rows,
		2,
		columns,
		2,
		c
	]).transpose([
		0,
		1,
		3,
		4,
		2,
		5
	]).reshape([
		n,
		rows,
		columns,
		4 * c
	]);
}
/** The hierarchy of figure 3: patches, stages of blocks on maps [N, H, W, C] with a merge before all but the first. */
function swinHierarchy(o, pieces) {
	const windows = check$2(o);
	const patch = pair(o.patch_size);
	const grid = patchGrid(pair(o.img_size), patch);
	const rates = stageRates(o.drop_path_rate, o.depths);
	const stages = o.depths.map((_, stage) => {
		const dim = o.embed_dim * 2 ** stage;
		const map = stageMap(grid, stage);
		const blocks = rates[stage].map((rate, i) => {
			const layout = windowLayout(map, windows[stage], i % 2 === 1);
			return pieces.block({
				dim,
				heads: o.num_heads[stage],
				stage,
				layout,
				dropPath: rate
			});
		});
		return module({
			downsample: stage > 0 ? pieces.merge(dim / 2) : void 0,
			blocks
		}, (m, x) => m.blocks.reduce((y, block) => block(y), m.downsample ? m.downsample(x) : x));
	});
	const last = o.embed_dim * 2 ** (o.depths.length - 1);
	const embed = patchEmbed$1(o.in_chans, o.embed_dim, patch);
	return network({
		patch_embed: module({
			...embed.children,
			norm: layerNorm(o.embed_dim)
		}, (m, x) => m.norm(embed.forward(m, x)).reshape([
			x.shape[0],
			...grid,
			o.embed_dim
		])),
		layers: stages,
		norm: layerNorm(last),
		head: classifierHead(last, o.num_classes, {
			pool: o.global_pool,
			drop: o.drop_rate,
			channelsLast: true,
			...weights$1
		})
	}, {
		features: (m, x) => m.norm(m.layers.reduce((y, stage) => stage(y), m.patch_embed(x))),
		head: (m, x) => m.head(x),
		pyramid: (m, x) => {
			let y = m.patch_embed(x);
			return m.layers.map((stage) => {
				y = stage(y);
				return y.transpose([
					0,
					3,
					1,
					2
				]);
			});
		},
		featureInfo: stages.map((_, i) => ({
			num_chs: o.embed_dim * 2 ** i,
			reduction: o.patch_size * 2 ** i,
			module: `layers.${i}`
		}))
	});
}
const stageMap = ([height, width], stage) => [Math.ceil(height / 2 ** stage), Math.ceil(width / 2 ** stage)];
/** What the stage table says of a stage. */
function windowNote(o, stage) {
	return { window: windowLayout(stageMap(patchGrid(pair(o.img_size), pair(o.patch_size)), stage), check$2(o)[stage], false).window.join("x") };
}
/** Window of each stage. */
function check$2(o) {
	const stages = o.depths.length;
	const { depths, num_heads, window_size: size } = o;
	checkPerStage({
		depths,
		num_heads
	}, stages);
	const windows = typeof size === "number" ? [size] : size;
	if (![
		1,
		2,
		stages
	].includes(windows.length) || windows.some((w) => !Number.isInteger(w) || w < 1)) throw new TesseraeError("usage", `option window_size takes one side, a height and a width, or ${stages} sides, not ${JSON.stringify(size)}`);
	num_heads.forEach((heads, i) => {
		if (o.embed_dim * 2 ** i % heads) throw new TesseraeError("usage", `${heads} heads do not divide the width ${o.embed_dim * 2 ** i} of stage ${i}`);
	});
	const same = windows.length < 3 && stages !== windows.length;
	return depths.map((_, i) => same ? [windows[0], windows[windows.length - 1]] : [windows[i], windows[i]]);
}
const DEFAULTS = {
	num_classes: 1e3,
	img_size: 224,
	in_chans: 3,
	global_pool: "avg",
	drop_rate: 0,
	drop_path_rate: 0,
	patch_size: 4,
	embed_dim: 96,
	depths: [
		2,
		2,
		6,
		2
	],
	num_heads: [
		3,
		6,
		12,
		24
	],
	window_size: 7,
	mlp_ratio: 4,
	qkv_bias: true,
	proj_drop_rate: 0,
	attn_drop_rate: 0
};
const TINY = {};
const SMALL = { depths: [
	2,
	2,
	18,
	2
] };
const BASE = {
	...SMALL,
	embed_dim: 128,
	num_heads: [
		4,
		8,
		16,
		32
	]
};
const LARGE = {
	...SMALL,
	embed_dim: 192,
	num_heads: [
		6,
		12,
		24,
		48
	]
};
const w12at384 = {
	window_size: 12,
	img_size: 384,
	preprocessing: { crop_pct: 1 }
};
/**
* Swin Transformer: "Hierarchical Vision Transformer using Shifted Windows" (Liu et al. 2021, figure 3 and table 7).
* The s3 variants are found by search (Chen et al. 2021, Searching the Search Space of Vision Transformer).
*/
var swin_default = family({
	paper: "Liu et al. 2021, Swin Transformer, arXiv:2103.14030",
	defaults: DEFAULTS,
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: .9
	},
	build: (o) => swinHierarchy(o, {
		block: (place) => block$1(o, place),
		merge: merge$1
	}),
	stage: windowNote,
	variants: {
		swin_tiny_patch4_window7_224: TINY,
		swin_small_patch4_window7_224: SMALL,
		swin_base_patch4_window7_224: BASE,
		swin_base_patch4_window12_384: {
			...BASE,
			...w12at384
		},
		swin_large_patch4_window7_224: LARGE,
		swin_large_patch4_window12_384: {
			...LARGE,
			...w12at384
		},
		swin_s3_tiny_224: { window_size: [
			7,
			7,
			14,
			7
		] },
		swin_s3_small_224: {
			...SMALL,
			window_size: [
				14,
				14,
				14,
				7
			]
		},
		swin_s3_base_224: {
			depths: [
				2,
				2,
				30,
				2
			],
			window_size: [
				7,
				7,
				14,
				7
			]
		}
	}
});
//#endregion
//#region src/models/swinv2.ts
/** An offset in log space (eq. 4), about -1 to 1. */
const logOffset = (trainedIn) => (offset, size) => {
	const x = 8 * offset / Math.max((trainedIn || size) - 1, 1);
	return Math.sign(x) * Math.log2(Math.abs(x) + 1) / Math.log2(8);
};
/** Continuous relative position bias [heads, L, L] (section 3.3): a small network of the offset, 16 sigmoid(·). */
const positionMlp = (window, heads, trainedIn) => module({
	0: linear(2, 512, {
		...weights$1,
		decay: false
	}),
	2: linear(512, heads, {
		...weights$1,
		bias: false,
		decay: false
	})
}, (m) => {
	const hidden = m[0](offsetTable(window, logOffset(trainedIn))).relu();
	return biasOfOffsets(m[2](hidden).sigmoid().mul(16), window);
});
/** x / |x| along the last axis. */
const unit = (x) => x.mul(x.sumSquare([-1], true).max(1e-24).sqrt().reciprocal());
/** Scaled cosine attention (eq. 2): softmax(cos(q, k) / τ + bias) v, 1 / τ learned per head and at most 100. */
const cosineAttention = (o, { dim, heads, layout, stage }) => module({
	logit_scale: parameter([
		heads,
		1,
		1
	], constantInit(Math.log(10)), { decay: false }),
	q_bias: o.qkv_bias ? parameter([dim], zeros) : void 0,
	v_bias: o.qkv_bias ? parameter([dim], zeros) : void 0,
	cpb_mlp: positionMlp(layout.window, heads, o.pretrained_window_sizes[stage]),
	qkv: linear(dim, 3 * dim, {
		...weights$1,
		bias: false
	}),
	attn_drop: dropout(o.attn_drop_rate),
	proj: linear(dim, dim, weights$1),
	proj_drop: dropout(o.proj_drop_rate)
}, (m, x, mask) => {
	const biases = [
		m.q_bias,
		void 0,
		m.v_bias
	];
	const [q, k, v] = m.qkv.weight.split(3, 0).map((w, i) => splitHeads(dense(x, w, biases[i]), heads));
	const scale = m.logit_scale.min(Math.log(100)).exp();
	const bias = m.cpb_mlp();
	const y = attend(unit(q).mul(scale), unit(k), v, {
		bias: mask ? bias.add(mask) : bias,
		drop: m.attn_drop
	});
	return m.proj_drop(m.proj(joinHeads(y)));
});
/** Post-norm block (figure 1): x + norm(attn(x)) in windows, then x + norm(mlp(x)); the norms begin at zero. */
const block = (o, place) => {
	const { dim, layout } = place;
	return module({
		attn: cosineAttention(o, place),
		norm1: layerNorm(dim, zeros),
		drop_path1: dropPath(place.dropPath),
		mlp: mlp(dim, Math.floor(dim * o.mlp_ratio), {
			drop: o.proj_drop_rate,
			...weights$1
		}),
		norm2: layerNorm(dim, zeros),
		drop_path2: dropPath(place.dropPath)
	}, (m, x) => {
		x = x.add(m.drop_path1(m.norm1(inWindows(x, layout, m.attn))));
		return tap("out", x.add(m.drop_path2(m.norm2(m.mlp(x)))));
	});
};
/** 2 x 2 neighbours to one pixel of twice the channels, then the norm. */
const merge = (dim) => module({
	reduction: linear(4 * dim, 2 * dim, {
		...weights$1,
		bias: false
	}),
	norm: layerNorm(2 * dim)
}, (m, x) => m.norm(m.reduction(neighbours(x))));
function check$1({ pretrained_window_sizes: sizes, depths }) {
	if (sizes.length !== depths.length || sizes.some((w) => !Number.isInteger(w) || w < 0)) throw new TesseraeError("usage", `option pretrained_window_sizes takes ${depths.length} sides, 0 for none`);
}
const from12 = { pretrained_window_sizes: [
	12,
	12,
	12,
	6
] };
const w16 = { window_size: 16 };
const w12 = {
	window_size: 12,
	img_size: 192,
	num_classes: 21841
};
const w24 = {
	window_size: 24,
	img_size: 384,
	preprocessing: { crop_pct: 1 }
};
/**
* Swin Transformer V2: "Scaling Up Capacity and Resolution" (Liu et al. 2022, figure 1): norms after the attention
* and the MLP, cosine attention, and a position bias that is a function of the offset, so that windows may grow.
*/
var swinv2_default = family({
	paper: "Liu et al. 2022, Swin Transformer V2, arXiv:2111.09883",
	defaults: {
		...DEFAULTS,
		img_size: 256,
		window_size: 8,
		pretrained_window_sizes: [
			0,
			0,
			0,
			0
		]
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bicubic",
		crop_pct: .9
	},
	build: (o) => {
		check$1(o);
		return swinHierarchy(o, {
			block: (place) => block(o, place),
			merge
		});
	},
	stage: windowNote,
	variants: {
		swinv2_tiny_window8_256: TINY,
		swinv2_tiny_window16_256: {
			...TINY,
			...w16
		},
		swinv2_small_window8_256: SMALL,
		swinv2_small_window16_256: {
			...SMALL,
			...w16
		},
		swinv2_base_window8_256: BASE,
		swinv2_base_window16_256: {
			...BASE,
			...w16
		},
		swinv2_base_window12_192: {
			...BASE,
			...w12
		},
		swinv2_base_window12to16_192to256: {
			...BASE,
			...w16,
			...from12
		},
		swinv2_base_window12to24_192to384: {
			...BASE,
			...w24,
			...from12
		},
		swinv2_large_window12_192: {
			...LARGE,
			...w12
		},
		swinv2_large_window12to16_192to256: {
			...LARGE,
			...w16,
			...from12
		},
		swinv2_large_window12to24_192to384: {
			...LARGE,
			...w24,
			...from12
		}
	}
});
//#endregion
//#region src/models/vgg.ts
const HIDDEN = 4096;
/** The side of the maps that the classifier was trained on. */
const SIDE = 7;
const conv = (inChans, out, kernel, options = {}) => conv2d(inChans, out, kernel, {
	weightInit: kaimingNormalFanOut(),
	biasInit: zeros,
	...options
});
/** Convolutions and poolings in one list, as torchvision numbers them, and where each resolution ends. */
function trunk(o) {
	const layers = [];
	const info = [];
	let [inChans, reduction] = [o.in_chans, 1];
	const mark = () => {
		const end = layers.length - 1;
		info.push({
			num_chs: inChans,
			reduction,
			module: `features.${end}`,
			end
		});
	};
	o.layers.forEach((depth, s) => {
		for (let i = 0; i < depth; i++) {
			layers.push(conv(inChans, o.channels[s], 3));
			if (o.batch_norm) layers.push(batchNorm$1(o.channels[s]));
			layers.push(act(o.act_layer));
			inChans = o.channels[s];
		}
		mark();
		layers.push(fn((x) => x.maxPool({
			kernel_shape: [2, 2],
			strides: [2, 2]
		})));
		reduction *= 2;
	});
	mark();
	return {
		layers,
		info,
		width: inChans
	};
}
/**
* The two hidden layers of the classifier as convolutions of 7x7 and 1x1 (section 3.2), [N, C, H, W] to
* [N, 4096, H - 6, W - 6], so that larger images give more than one answer, to be pooled. Smaller maps are stretched.
*/
function hiddenLayers(o, width) {
	const mid = Math.floor(HIDDEN * o.mlp_ratio);
	const f = activation(o.act_layer);
	return module({
		fc1: conv(width, mid, SIDE, { padding: 0 }),
		drop: dropout(o.drop_rate),
		fc2: conv(mid, HIDDEN, 1)
	}, (m, x) => {
		const maps = adaptiveAvgPool(x, [Math.max(SIDE, x.shape[2]), Math.max(SIDE, x.shape[3])]);
		return f(m.fc2(m.drop(f(m.fc1(maps)))));
	});
}
/** VGG: "Very Deep Convolutional Networks for Large-Scale Image Recognition" (Simonyan and Zisserman 2015, table 1). */
function vgg(o) {
	check(o);
	const { layers, info, width } = trunk(o);
	return network({
		features: layers,
		pre_logits: hiddenLayers(o, width),
		head: classifierHead(HIDDEN, o.num_classes, {
			pool: o.global_pool,
			drop: o.drop_rate,
			weightInit: normal(.01),
			biasInit: zeros
		})
	}, {
		features: (m, x) => m.features.reduce((y, layer) => layer(y), x),
		head: (m, x) => m.head(m.pre_logits(x)),
		pyramid: (m, x) => {
			const outputs = m.features.map((layer) => {
				x = layer(x);
				return x;
			});
			return info.map(({ end }) => outputs[end]);
		},
		featureInfo: info.map(({ end: _, ...rest }) => rest)
	});
}
function check(o) {
	const usage = (what, hint) => new TesseraeError("usage", what, { hint });
	checkPerStage({
		layers: o.layers,
		channels: o.channels
	}, 5);
	const image = pair(o.img_size);
	if (Math.min(...image) < 32) throw usage(`image size ${image.join("x")} does not last for five poolings`, `The nearest that fits is ${image.map((s) => Math.max(s, 32)).join("x")}`);
	if (!(o.mlp_ratio * HIDDEN >= 1)) throw usage(`mlp_ratio is positive, not ${o.mlp_ratio}`);
	if (o.drop_path_rate > 0) throw usage("a VGG has no drop path", "Leave drop_path_rate at 0");
}
const A = { layers: [
	1,
	1,
	2,
	2,
	2
] };
const B = { layers: [
	2,
	2,
	2,
	2,
	2
] };
const D = { layers: [
	2,
	2,
	3,
	3,
	3
] };
const E = { layers: [
	2,
	2,
	4,
	4,
	4
] };
const bn = { batch_norm: true };
var vgg_default = family({
	paper: "Simonyan and Zisserman 2015, Very Deep Convolutional Networks, arXiv:1409.1556",
	defaults: {
		num_classes: 1e3,
		img_size: 224,
		in_chans: 3,
		global_pool: "avg",
		drop_rate: 0,
		drop_path_rate: 0,
		...D,
		channels: [
			64,
			128,
			256,
			512,
			512
		],
		batch_norm: false,
		mlp_ratio: 1,
		act_layer: "relu"
	},
	preprocessing: {
		mean: IMAGENET_MEAN,
		std: IMAGENET_STD,
		interpolation: "bilinear",
		crop_pct: .875
	},
	build: vgg,
	variants: {
		vgg11: A,
		vgg11_bn: {
			...A,
			...bn
		},
		vgg13: B,
		vgg13_bn: {
			...B,
			...bn
		},
		vgg16: D,
		vgg16_bn: {
			...D,
			...bn
		},
		vgg19: E,
		vgg19_bn: {
			...E,
			...bn
		}
	}
});
//#endregion
//#region src/models/resnetv2.ts
/**
* Pieces of ResNetV2 as the hybrid ViT has it: BiT's weight-standardised convolutions, group norm and TensorFlow's
* "same" padding (Kolesnikov et al. 2020, Big Transfer, arXiv:1912.11370), but norm and ReLU behind each convolution.
*/
/**
* Convolution whose filters have zero mean and unit variance over their fan-in (Qiao et al. 2019, Micro-batch training
* with batch-channel normalization and weight standardization, eq. 3). No bias; "same" padding.
*/
const standardizedConv = (inChans, out, kernel, { stride = 1, weightInit = kaimingNormalFanOut() } = {}) => module({ weight: parameter([
	out,
	inChans,
	kernel,
	kernel
], weightInit) }, (m, x) => {
	return convolve(x, standardize(m.weight.reshape([out, inChans * kernel * kernel]), 1e-8).reshape(m.weight.shape), void 0, {
		stride,
		padding: "same"
	});
});
/** 7x7 convolution of stride 2, norm and ReLU: [N, in, H, W] to [N, 64, H/2, W/2]. */
const stem = (inChans, weightInit) => module({
	conv: standardizedConv(inChans, STEM$1, 7, {
		stride: 2,
		weightInit
	}),
	norm: groupNorm(STEM$1)
}, (m, x) => maxPoolSame(m.norm(m.conv(x)).relu()));
const STEM$1 = 64;
/** 3x3 maximum of stride 2: [N, C, H, W] to [N, C, H/2, W/2], rounded up. */
function maxPoolSame(x) {
	const [top, bottom] = samePadding(x.shape[2], 3, 2);
	const [left, right] = samePadding(x.shape[3], 3, 2);
	return x.maxPool({
		kernel_shape: [3, 3],
		strides: [2, 2],
		pads: [
			top,
			left,
			bottom,
			right
		]
	});
}
/** Projection of the shortcut where stride or width change. */
const shortcut = (inChans, out, stride) => module({
	conv: standardizedConv(inChans, out, 1, { stride }),
	norm: groupNorm(out)
}, (m, x) => m.norm(m.conv(x)));
/** relu(x + conv1x1(conv3x3(conv1x1(x)))), a quarter as wide inside; the last norm begins at zero. */
const bottleneck = (inChans, out, stride, first) => module({
	downsample: first ? shortcut(inChans, out, stride) : void 0,
	conv1: standardizedConv(inChans, out / 4, 1),
	norm1: groupNorm(out / 4),
	conv2: standardizedConv(out / 4, out / 4, 3, { stride }),
	norm2: groupNorm(out / 4),
	conv3: standardizedConv(out / 4, out, 1),
	norm3: groupNorm(out, { weightInit: zeros })
}, (m, x) => {
	const y = m.norm2(m.conv2(m.norm1(m.conv1(x)).relu())).relu();
	return m.norm3(m.conv3(y)).add(m.downsample ? m.downsample(x) : x).relu();
});
const stage = (inChans, out, stride, depth) => module({ blocks: Array.from({ length: depth }, (_, i) => i === 0 ? bottleneck(inChans, out, stride, true) : bottleneck(out, out, 1, false)) }, (m, x) => m.blocks.reduce((y, block) => block(y), x));
/** Stem and stages of bottlenecks; the stem alone where there are no stages. */
function resnetV2(inChans, layers) {
	if (layers.length === 0) return {
		module: stem(inChans, defaultWeight),
		channels: STEM$1,
		reduction: 4
	};
	const widths = layers.map((_, i) => 256 * 2 ** i);
	const stages = layers.map((depth, i) => stage(widths[i - 1] ?? STEM$1, widths[i], i === 0 ? 1 : 2, depth));
	return {
		module: module({
			stem: stem(inChans),
			stages
		}, (m, x) => m.stages.reduce((y, stage) => stage(y), m.stem(x))),
		channels: widths[widths.length - 1],
		reduction: 2 ** (layers.length + 1)
	};
}
//#endregion
//#region src/models/vit-hybrid.ts
/**
* Hybrid ViT: "patches" of patch_size pixels of a ResNetV2's feature map in place of patches of the image
* (Dosovitskiy et al. 2021, section 3.1, "Hybrid Architecture"; the smaller ones: Steiner et al. 2022, How to train
* your ViT, arXiv:2106.10270, table 2). In a name, r26 counts the layers of the backbone, s32 the pixels per token.
*/
function tokensOf(o) {
	const { backbone_layers: layers } = o;
	if (!Array.isArray(layers) || layers.some((depth) => !Number.isInteger(depth) || depth < 1)) throw new TesseraeError("usage", "option backbone_layers takes positive whole numbers, one a stage");
	const backbone = resnetV2(o.in_chans, layers);
	const patch = pair(o.patch_size);
	const map = pair(o.img_size).map((size) => Math.ceil(size / backbone.reduction));
	if (map.some((size, i) => size % patch[i])) throw new TesseraeError("usage", `image size ${pair(o.img_size).join("x")} gives a map of ${map.join("x")}, no multiple of ${patch.join("x")}`, { hint: `The nearest that fits is ${map.map((size, i) => nearestImage(size, patch[i], backbone.reduction)).join("x")}` });
	const proj = patchEmbed$1(backbone.channels, o.embed_dim, patch);
	return {
		embed: module({
			backbone: backbone.module,
			...proj.children
		}, (m, x) => proj.forward(m, m.backbone(x))),
		grid: [map[0] / patch[0], map[1] / patch[1]],
		reduction: backbone.reduction * patch[0]
	};
}
const nearestImage = (map, patch, reduction) => Math.max(1, Math.round(map / patch)) * patch * reduction;
const R_S16_P8 = {
	...TINY$1,
	backbone_layers: [],
	patch_size: 8
};
const R26 = { backbone_layers: [
	2,
	2,
	2,
	2
] };
const R50_S16 = { backbone_layers: [
	3,
	4,
	9
] };
const R50_S32 = { backbone_layers: [
	3,
	4,
	6,
	3
] };
//#endregion
//#region src/models/index.ts
/** One line a family; a family is one file. */
const FAMILIES = [
	vit_default,
	family({
		paper: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, arXiv:2010.11929",
		defaults: {
			...DEFAULTS$1,
			patch_size: 1,
			...R26
		},
		preprocessing: {
			mean: HALF,
			std: HALF,
			interpolation: "bicubic",
			crop_pct: .9
		},
		build: (o) => vit(o, { tokens: tokensOf(o) }),
		variants: {
			vit_tiny_r_s16_p8_224: R_S16_P8,
			vit_tiny_r_s16_p8_384: {
				...R_S16_P8,
				...at384$1
			},
			vit_small_r26_s32_224: {
				...SMALL$3,
				...R26
			},
			vit_small_r26_s32_384: {
				...SMALL$3,
				...R26,
				...at384$1
			},
			vit_base_r26_s32_224: {
				...BASE$2,
				...R26
			},
			vit_base_r50_s16_224: {
				...BASE$2,
				...R50_S16,
				num_classes: 0
			},
			vit_base_r50_s16_384: {
				...BASE$2,
				...R50_S16,
				...at384$1
			},
			vit_large_r50_s32_224: {
				...LARGE$3,
				...R50_S32
			},
			vit_large_r50_s32_384: {
				...LARGE$3,
				...R50_S32,
				...at384$1
			}
		}
	}),
	deit_default,
	swin_default,
	swinv2_default,
	maxvit_default,
	convmixer_default,
	pvt_default,
	pvt_v2_default,
	axial_default,
	sasa_default,
	resnet_default,
	...mobileNets,
	...efficientNets,
	mlp_mixer_default,
	mlp_default,
	vgg_default
];
const VARIANTS = new Map(FAMILIES.flatMap((f) => Object.entries(f.variants)));
/**
* Builds a model by timm's name. It holds no weights: `initialize(model, seed)` makes them.
* Throws TesseraeError("usage") for an unknown name (with the nearest ones) or an option the model cannot take.
*/
function createModel(name, options = {}) {
	if (name === "onnx") return importedModel(options);
	const variant = VARIANTS.get(name);
	if (!variant) {
		const near = nearest(name, VARIANTS.keys());
		throw new TesseraeError("usage", `unknown model ${JSON.stringify(name)}`, { hint: near.length ? `Did you mean ${near.join(", ")}?` : "`tesserae models` lists them all" });
	}
	return instantiate(name, variant, options);
}
//#endregion
//#region src/models/trace.ts
/** Traces one form of a network (`model.forward`, `model.features`...) on a symbolic tensor. */
function traceModule(root, x, options) {
	const { training, source, noise, frozen, constants, rename = (name) => name } = options;
	const slots = /* @__PURE__ */ new Map();
	const resolve = (slot) => {
		const held = source === "inputs" ? constants?.has(slot.name) && constants : source;
		const t = held ? weight(slot, held) : input(rename(slot.name), slot.dtype, slot.shape);
		slots.set(slot.name, t);
		return t;
	};
	const context = new Trace({
		training,
		resolve,
		noise,
		frozen
	});
	return {
		output: withTrace(context, root, (bound) => bound(x)),
		slots,
		updates: context.updates,
		taps: context.taps
	};
}
/**
* Traces a model's logits from images, with only what they read left in the graph (see the forward passes). Of the
* inner tensors only those of `taps` that exist are given: narrowing may have cut others.
*/
function traceLogits(model, x, options) {
	const all = traceModule(model.forward, x, options);
	const tapped = (options.taps ?? []).flatMap((name) => {
		const t = all.taps.get(name);
		return t ? [[`${TAP}${name}`, t]] : [];
	});
	const { outputs } = narrow$1(program("forward", new Map([
		["", all.output],
		...all.updates,
		...tapped
	])), options);
	const traced = (name) => outputs.get(name);
	return {
		output: traced(""),
		slots: all.slots,
		updates: new Map([...all.updates.keys()].map((name) => [name, traced(name)])),
		taps: new Map(tapped.map(([name]) => [name.slice(TAP.length), traced(name)]))
	};
}
const TAP = "tap:";
function weight(slot, weights) {
	const value = weights.get(slot.name);
	if (!value) throw new TesseraeError("weights", `no tensor ${slot.name} among the weights`);
	return constantData(value);
}
/** Fresh tensors for every slot, each from its own stream of (seed, name). */
function initialize(model, seed) {
	return new Map(model.slots.map((slot) => {
		const values = slot.init(slot.shape, keyed(seed, "init", slot.name));
		const data = slot.dtype === "float32" ? values : fromDoubles(slot.dtype, values);
		return [slot.name, {
			dtype: slot.dtype,
			shape: slot.shape,
			data
		}];
	}));
}
//#endregion
//#region src/optim/optimizer.ts
/** g · scale where clipping asks for it. */
const scaled = (gradient, scale) => scale ? gradient.mul(scale) : gradient;
/** w · (1 - lr · decay): decay apart from the gradient (Loshchilov and Hutter 2019). */
const decayed = (value, lr, weightDecay) => weightDecay === 0 ? value : value.sub(value.mul(lr.mul(weightDecay)));
//#endregion
//#region src/optim/adamw.ts
/** c' = βc + (1-β), so that c = 1 - βᵗ: keeps float32's precision where 1 - βᵗ would not. */
const corrections = ([b1, b2]) => ({
	correction1: (c) => c.mul(b1).add(1 - b1),
	correction2: (c) => c.mul(b2).add(1 - b2)
});
/** m' = β₁m + (1-β₁)g, the clipping factor within the coefficient. */
const nextAverage = (m, g, [b1], scale = constant(1)) => m.mul(b1).add(g.mul(scale.mul(1 - b1)));
/** m' = β₁m + (1-β₁)g, v' = β₂v + (1-β₂)g², with the clipping factor within the coefficients. */
function nextMoments(old, g, betas, scale = constant(1)) {
	const [, b2] = betas;
	return {
		exp_avg: nextAverage(old.exp_avg, g, betas, scale),
		exp_avg_sq: old.exp_avg_sq.mul(b2).add(g.mul(g).mul(scale.mul(scale).mul(1 - b2)))
	};
}
/**
* AdamW (Loshchilov and Hutter 2019, algorithm 2), PyTorch's form:
* m' = β₁m + (1-β₁)g, v' = β₂v + (1-β₂)g², w' = w(1 - lr·λ) - lr/c₁ · m' / (√v'/√c₂ + ε).
*/
function adamw({ betas = [.9, .999], epsilon = 1e-8, nesterov = false } = {}) {
	return {
		name: nesterov ? "nadamw" : "adamw",
		moments: ({ shape }) => ({
			exp_avg: shape,
			exp_avg_sq: shape
		}),
		scalars: corrections(betas),
		update: ({ value, moments }, g, { lr, gradScale, weightDecay, scalars }) => {
			const next = nextMoments(moments, g, betas, gradScale);
			const m = nesterov ? nextAverage(next.exp_avg, g, betas, gradScale) : next.exp_avg;
			const root = scalars.correction2.sqrt();
			const step = m.div(next.exp_avg_sq.sqrt().add(root.mul(epsilon))).mul(lr.mul(root).div(scalars.correction1));
			return {
				value: decayed(value, lr, weightDecay).sub(step),
				moments: { ...next }
			};
		}
	};
}
//#endregion
//#region src/optim/adam.ts
/** Adam (Kingma and Ba 2015, algorithm 1) with decay as part of the gradient, g + λw, as PyTorch's `Adam`. */
function adam(options = {}) {
	const { update, ...rest } = adamw(options);
	return {
		...rest,
		name: "adam",
		update: (parameter, gradient, { gradScale, weightDecay, ...context }) => {
			if (weightDecay === 0) return update(parameter, gradient, {
				...context,
				gradScale,
				weightDecay
			});
			return update(parameter, scaled(gradient, gradScale).add(parameter.value.mul(weightDecay)), {
				...context,
				weightDecay: 0
			});
		}
	};
}
//#endregion
//#region src/optim/lamb.ts
/**
* LAMB (You et al. 2020, algorithm 2), timm's form: Adam's direction r = m'/c₁ / (√v'/√c₂ + ε), decay within it
* (u = r + λw), and a step as long as the weights are: w' = w - lr · ‖w‖/‖u‖ · u. The ratio is 1 where either norm is
* 0, and for parameters without decay, as with timm's `always_adapt` off. Its clipping of the global gradient norm
* is our own (`clipGrad`).
*/
function lamb({ betas = [.9, .999], epsilon = 1e-6 } = {}) {
	return {
		name: "lamb",
		moments: ({ shape }) => ({
			exp_avg: shape,
			exp_avg_sq: shape
		}),
		scalars: corrections(betas),
		update: ({ value, moments }, g, { lr, gradScale, weightDecay, scalars }) => {
			const next = nextMoments(moments, g, betas, gradScale);
			const root = scalars.correction2.sqrt();
			const r = next.exp_avg.div(next.exp_avg_sq.sqrt().add(root.mul(epsilon)));
			const bias = root.div(scalars.correction1);
			if (weightDecay === 0) return {
				value: value.sub(r.mul(lr.mul(bias))),
				moments: { ...next }
			};
			const u = r.mul(bias).add(value.mul(weightDecay));
			return {
				value: value.sub(u.mul(lr.mul(trustRatio(value, u)))),
				moments: { ...next }
			};
		}
	};
}
/** ‖w‖ / ‖u‖, or 1 where either is 0. */
function trustRatio(weights, update) {
	const [w, u] = [weights.sumSquare().sqrt(), update.sumSquare().sqrt()];
	const both = w.greater(0).and(u.greater(0));
	return both.where(w.div(both.where(u, constant(1))), 1);
}
//#endregion
//#region src/optim/lion.ts
/**
* Lion (Chen et al. 2023, program 1): w' = w(1 - lr·λ) - lr · sign(β₁m + (1-β₁)g), m' = β₂m + (1-β₂)g. Every weight
* moves by the same amount, so its rate is three to ten times below AdamW's, its decay as many times above.
*/
function lion({ betas: [b1, b2] = [.9, .99] } = {}) {
	return {
		name: "lion",
		moments: ({ shape }) => ({ exp_avg: shape }),
		scalars: {},
		update: ({ value, moments: { exp_avg: m } }, gradient, { lr, gradScale, weightDecay }) => {
			const g = scaled(gradient, gradScale);
			const mix = (beta) => m.mul(beta).add(g.mul(1 - beta));
			const step = mix(b1).sign().mul(lr);
			return {
				value: decayed(value, lr, weightDecay).sub(step),
				moments: { exp_avg: mix(b2) }
			};
		}
	};
}
//#endregion
//#region src/optim/muon.ts
/** Coefficients (a, b, c) of the five iterations; timm's "quintic", found by Jiacheng You for modded-nanogpt. */
const QUINTIC = [
	[
		4.0848,
		-6.8946,
		2.927
	],
	[
		3.9505,
		-6.3029,
		2.6377
	],
	[
		3.7418,
		-5.5913,
		2.3037
	],
	[
		2.8769,
		-3.1427,
		1.2046
	],
	[
		2.8366,
		-3.0525,
		1.2012
	]
];
/**
* Muon (Jordan et al. 2024), timm's form. Hidden weight matrices: b' = μb + (1-μ)g, u = b' or, Nesterov, g + μ(b' - g);
* w' = w(1 - lr·λ) - lr · 0.2√max(out, in) · NS(u), where NS makes the singular values of u about 1. Kernels
* [out, in, h, w] count as matrices [out, in·h·w]. The rest, see `suitsMuon`, AdamW updates at the same rate.
*/
function muon({ momentum = .95, nesterov = false, betas = [.9, .95], epsilon = 1e-7 } = {}) {
	const other = adamw({
		betas,
		epsilon,
		nesterov
	});
	return {
		name: nesterov ? "nmuon" : "muon",
		moments: (parameter) => suitsMuon(parameter) ? { momentum_buffer: parameter.shape } : other.moments(parameter),
		scalars: other.scalars,
		update: (parameter, gradient, context) => {
			const old = parameter.moments.momentum_buffer;
			if (!old) return other.update(parameter, gradient, context);
			const { lr, gradScale, weightDecay } = context;
			const { shape } = parameter.value;
			const g = scaled(gradient, gradScale);
			const b = old.mul(momentum).add(g.mul(1 - momentum));
			const step = orthogonalized((nesterov ? g.mul(1 - momentum).add(b.mul(momentum)) : b).reshape(matrix(shape)), epsilon).reshape(shape).mul(lr.mul(.2 * Math.sqrt(Math.max(...matrix(shape)))));
			return {
				value: decayed(parameter.value, lr, weightDecay).sub(step),
				moments: { momentum_buffer: b }
			};
		}
	};
}
/** [out, everything else]. */
const matrix = (shape) => [shape[0], sizeOf(shape.slice(1))];
/**
* Is it Muon's? timm's rule on the shape: two axes or more, the first two above 1 (so neither tables, tokens nor
* depthwise kernels), and as a matrix at least 4 wide and no longer than 128 times its width. And, as the method's
* author has it, neither the stem (patch embedding) nor the head.
*/
function suitsMuon({ shape, hidden = true }) {
	if (!hidden || shape.length < 2 || shape[0] === 1 || shape[1] === 1) return false;
	const [least, most] = matrix(shape).sort((a, b) => a - b);
	return least >= 4 && most / least <= 128;
}
/** Newton-Schulz: X' = aX + (bA + cA²)X with A = XXᵀ, from X = U / max(‖U‖, ε), on the shorter side of U [m, n]. */
function orthogonalized(u, epsilon) {
	const [m, n] = u.shape;
	let x = m > n ? u.mT() : u;
	x = x.div(x.sumSquare().sqrt().max(epsilon));
	for (const [a, b, c] of QUINTIC) {
		const outer = x.gemm(x, void 0, { transB: 1 });
		x = outer.gemm(outer, outer.mul(b), { alpha: c }).gemm(x, x.mul(a));
	}
	return m > n ? x.mT() : x;
}
//#endregion
//#region src/optim/sgd.ts
/**
* Stochastic gradient descent with momentum, PyTorch's form: g' = g + λw, b' = μb + g', w' = w - lr · (g' + μb' | b').
* Decay is part of the gradient, as timm's `sgd`.
*/
function sgd({ momentum = .9, nesterov = true } = {}) {
	return {
		name: "sgd",
		moments: ({ shape }) => momentum ? { momentum_buffer: shape } : {},
		scalars: {},
		update: ({ value, moments }, gradient, { lr, gradScale, weightDecay }) => {
			let g = scaled(gradient, gradScale);
			if (weightDecay) g = g.add(value.mul(weightDecay));
			if (!momentum) return {
				value: value.sub(g.mul(lr)),
				moments: {}
			};
			const b = moments.momentum_buffer.mul(momentum).add(g);
			const step = nesterov ? g.add(b.mul(momentum)) : b;
			return {
				value: value.sub(step.mul(lr)),
				moments: { momentum_buffer: b }
			};
		}
	};
}
//#endregion
//#region src/optim/index.ts
const OPTIMIZERS = {
	adamw,
	nadamw: (o) => adamw({
		...o,
		nesterov: true
	}),
	adam,
	lamb,
	lion,
	muon,
	nmuon: (o) => muon({
		...o,
		nesterov: true
	}),
	sgd: ({ momentum }) => sgd({
		momentum,
		nesterov: true
	}),
	momentum: ({ momentum }) => sgd({
		momentum,
		nesterov: false
	})
};
const optimizerNames = Object.keys(OPTIMIZERS);
/** An optimizer by timm's name (`sgd` is Nesterov's, `momentum` is not). Throws TesseraeError("usage"). */
function createOptimizer(name, options = {}) {
	const make = Object.hasOwn(OPTIMIZERS, name) ? OPTIMIZERS[name] : void 0;
	if (!make) throw new TesseraeError("usage", `unknown optimizer ${name}`, { hint: `Known: ${optimizerNames.join(", ")}` });
	return make(options);
}
//#endregion
//#region src/graph/passes/recompute.ts
/** A recomputation that leaves more than this part of the bytes is not worth a second forward pass. */
const WORTH = .8;
/**
* Tensors through which every path from the source to what comes after them goes, such as the residual stream between
* two branches. Found in the order of the graph, where nothing else that depends on the source is still to be read.
*/
function cutsOf(loss, source) {
	const { active } = activations(loss, source);
	const lastReader = /* @__PURE__ */ new Map();
	for (const node of active) for (const t of node.inputs) if (t) lastReader.set(t, node.id);
	const cuts = [];
	let live = [];
	for (const node of active) {
		const read = (t) => (lastReader.get(t) ?? -1) > node.id;
		live = [...live, ...node.outputs].filter(read);
		if (live.length === 1 && live[0].node === node && live[0].dtype === "float32") cuts.push(live[0]);
	}
	return cuts;
}
/** The nodes of the forward graph, and those among them that depend on the source, in order. */
function activations(loss, source) {
	const forward = nodesOf([loss]);
	const dependent = new Set([source.node]);
	for (const node of forward) if (node.inputs.some((t) => t && dependent.has(t.node))) dependent.add(node);
	return {
		forward: new Set(forward),
		active: forward.filter((n) => dependent.has(n) && n !== source.node)
	};
}
/**
* Gradient checkpointing (Chen et al. 2016, arXiv:1604.06174) as a rewrite of the gradients: of the forward pass only
* some cuts are kept, and what lies between two of them is computed again just before its gradients are. Which cuts
* those are follows from the sizes of what the gradients read: the least sum of the kept cuts and the largest part
* between two. The second computation starts from the cut plus a zero that is made of the gradients so far, so that no
* runtime can do it early or take it for the first. Noise is a hash of its place: it comes out the same.
* Throws TesseraeError("usage") where that saves too little.
*/
function recompute(given) {
	const { forward, active } = activations(given.loss, given.source);
	const backward = nodesOf(given.gradients).filter((node) => !forward.has(node));
	const saved = savedBytes(backward, forward);
	const before = sum(saved.values());
	const plan = choose(given.cuts, saved, before);
	if (plan.bytes > WORTH * before) throw new TesseraeError("usage", `gradient checkpointing would keep ${mebibytes(plan.bytes)} of the ${mebibytes(before)} MiB of activations`, { hint: "Leave --grad-checkpointing out for this model, or take smaller batches with --grad-accum-steps" });
	const replay = replayer(given, plan.kept, new Set(active));
	const image = /* @__PURE__ */ new Map();
	const mapped = (t) => image.get(t) ?? t;
	for (const node of backward) withScope(node.scope, () => {
		const inputs = node.inputs.map((t) => t && (forward.has(t.node) ? replay(t, node, mapped) : mapped(t)));
		if (inputs.every((t, i) => t === node.inputs[i])) return;
		const outputs = applyAll(node.op, inputs, node.attrs);
		node.outputs.forEach((t, i) => void image.set(t, outputs[i]));
	});
	return {
		gradients: given.gradients.map(mapped),
		bytes: {
			now: plan.bytes,
			before
		}
	};
}
const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
const sum = (values) => [...values].reduce((a, b) => a + b, 0);
const bytesOf = (t) => t.size * byteSize(t.dtype);
/** What holds a tensor's values: reshaping copies nothing. */
const holder = (t) => t.node.op === "Reshape" ? holder(t.node.inputs[0]) : t;
/** Forward tensors that the gradients read, and their bytes. */
function savedBytes(backward, forward) {
	const computed = backward.flatMap(({ inputs }) => inputs.flatMap((t) => t && forward.has(t.node) ? [holder(t)] : [])).filter(({ node }) => node.op !== "Input" && node.op !== "Constant");
	return new Map(computed.map((t) => [t, bytesOf(t)]));
}
/**
* Of the cuts those to keep, and the bytes that then wait at most: for each bound on what lies between two kept ones,
* the cheapest chain of cuts that respects it. What comes before the first cut is kept as it is.
*/
function choose(cuts, saved, total) {
	const ids = [...cuts.map((t) => t.node.id), Number.POSITIVE_INFINITY];
	const within = (from, to) => sum([...saved].map(([t, bytes]) => t.node.id > from && t.node.id < to ? bytes : 0));
	const gaps = ids.slice(1).map((id, i) => within(ids[i], id));
	const before = within(-1, ids[0]);
	const all = sum(gaps);
	let best = {
		kept: [],
		bytes: total
	};
	for (let bound = Math.max(0, ...gaps); bound < all; bound = bound * 1.1 + 1) {
		const { kept, largest } = chain(cuts, gaps, bound);
		const bytes = before + sum(kept.map(bytesOf)) + largest;
		if (bytes < best.bytes) best = {
			kept,
			bytes
		};
	}
	return best;
}
/** The cheapest chain from the first cut to the end with at most `bound` bytes between neighbours. */
function chain(cuts, gaps, bound) {
	/** Of a chain that ends at cut j; the end is one more. */
	const cost = [0];
	const from = [0];
	const between = [0];
	for (let j = 1; j <= cuts.length; j++) {
		[cost[j], from[j], between[j]] = [
			Number.POSITIVE_INFINITY,
			j - 1,
			gaps[j - 1]
		];
		const own = j < cuts.length ? bytesOf(cuts[j]) : 0;
		for (let i = j - 1, gap = 0; i >= 0; i--) {
			gap += gaps[i];
			if (gap > bound) break;
			if (cost[i] + own < cost[j]) [cost[j], from[j], between[j]] = [
				cost[i] + own,
				i,
				gap
			];
		}
	}
	const kept = [];
	let largest = between[cuts.length];
	for (let j = from[cuts.length];; j = from[j]) {
		kept.unshift(cuts[j]);
		if (j === 0) return {
			kept,
			largest
		};
		largest = Math.max(largest, between[j]);
	}
}
function replayer({ gradients, cuts, cutGradients }, kept, active) {
	const copies = /* @__PURE__ */ new Map();
	const zeros = /* @__PURE__ */ new Map();
	const waiting = new Set(gradients);
	const isCut = new Set(kept);
	const noise = drawnFrom(active);
	/** The part after kept cut k that a node lies in; the last part is not computed again. */
	const partOf = ({ id }) => kept.findLastIndex((t) => t.node.id <= id);
	/** The gradient of what a part ends with. */
	const endOf = (k) => cutGradients[cuts.indexOf(kept[k + 1])];
	/** Of part k: a zero that is known once all gradients before its own are. */
	const zero = (k, reader, mapped) => {
		const known = zeros.get(k);
		if (known) return known;
		const done = [...waiting].filter((t) => t.node.id < reader.id && t.node.op !== "Constant");
		for (const t of done) waiting.delete(t);
		const made = zeroAfter([endOf(k), ...done].map(mapped));
		zeros.set(k, made);
		return made;
	};
	const copy = (t, z) => {
		const { node } = t;
		const known = copies.get(t);
		if (known) return known;
		if (isCut.has(t)) return remember(t, t.add(z));
		if (node.op === "Constant") return t;
		if (node.op === "Input") return noise.has(node) ? remember(t, t.add(z.cast(t.dtype))) : t;
		if (!active.has(node) && !noise.has(node)) return t;
		const outputs = withScope(node.scope, () => applyAll(node.op, node.inputs.map((x, i) => x && argument(node, i, z)), node.attrs));
		node.outputs.forEach((y, i) => void copies.set(y, outputs[i]));
		return outputs[t.index];
	};
	const remember = (t, made) => {
		copies.set(t, made);
		return made;
	};
	/** The runtime writes a batch norm's outputs 1 and 2 over its inputs 3 and 4, which are its own therefore. */
	const argument = (node, i, z) => {
		const x = node.inputs[i];
		return node.op === "BatchNormalization" && node.attrs.training_mode === 1 && i > 2 ? anew(x, z) : copy(x, z);
	};
	return (t, reader, mapped) => {
		const { node } = t;
		const computed = node.op !== "Input" && node.op !== "Constant" && (active.has(node) || noise.has(node));
		const k = partOf(node);
		if (!computed || isCut.has(t) || k < 0 || k >= kept.length - 1) return t;
		return endOf(k).node.id < reader.id ? copy(t, zero(k, reader, mapped)) : t;
	};
}
/** A tensor of the weights, computed again from weights plus a zero. */
function anew(t, z) {
	const { node } = t;
	if (node.op === "Constant") return t;
	if (node.op === "Input") return t.add(z);
	return applyAll(node.op, node.inputs.map((x) => x && anew(x, z)), node.attrs)[t.index];
}
/** Nodes that make noise for activations: those that depend on a counter, an integer input. */
function drawnFrom(active) {
	const drawn = /* @__PURE__ */ new Set();
	for (const node of nodesOf([...active].flatMap((n) => n.outputs))) {
		if (active.has(node)) continue;
		if (node.op === "Input" && node.outputs[0].dtype === "int32" || node.inputs.some((t) => t && drawn.has(t.node))) drawn.add(node);
	}
	return drawn;
}
/** 0, unless a gradient is not a number: then the step is void anyway. */
function zeroAfter(gradients) {
	return gradients.map((g) => g.reshape([g.size]).slice(0, 0, 1)).reduce((a, b) => a.add(b)).isNaN().cast("float32").reshape([]);
}
//#endregion
//#region src/optim/clip.ts
/** √Σ‖g‖² over all gradients. */
function globalNorm(gradients) {
	return gradients.map((g) => g.sumSquare()).reduce((a, b) => a.add(b)).sqrt();
}
/** min(1, max / (norm + 1e-6)): the factor of PyTorch's clip_grad_norm_. */
const clipFactor = (norm, max) => constant(max).div(norm.add(1e-6)).min(1);
/** max(-v, min(v, g)): PyTorch's clip_grad_value_. */
const clipValue = (gradient, value) => gradient.clip(-value, value);
/**
* Adaptive clipping (Brock et al. 2021, eq. 3), timm's form: every unit's gradient is at most `factor` times as long
* as the unit's weights, ‖g‖ ≤ factor · max(‖w‖, 1e-3). A unit is an entry of the first axis, [out, ...]; a vector is
* one unit.
*/
function adaptiveClip(gradient, weights, factor) {
	const inner = weights.rank <= 1 ? void 0 : Array.from({ length: weights.rank - 1 }, (_, i) => i + 1);
	const norm = (t) => t.sumSquare(inner, weights.rank > 1).sqrt();
	const most = norm(weights).max(.001).mul(factor);
	return gradient.mul(most.div(norm(gradient).max(1e-6)).min(1));
}
//#endregion
//#region src/runtime/backend.ts
/** Outputs of a program with this prefix are the next values of the state tensors they name. */
const NEXT = "next:";
//#endregion
//#region src/train/loss.ts
/**
* The loss of a batch [], from targets [N, K] (distributions over the classes) and, for distillation, the teacher's
* logits [N, K]. With a distillation token the labels teach the class token's head, the teacher the other.
*/
function lossOf(answers, target, teacher, options) {
	const { smoothing = 0, bce, distillation } = options;
	const base = (logits) => {
		const smoothed = smooth(target, smoothing);
		return bce ? binaryCrossEntropy(logits, smoothed, bce) : crossEntropy(logits, smoothed);
	};
	if (!distillation || !teacher) return base(answers.logits);
	const { alpha, type, tau } = distillation;
	const { head = answers.logits, distillation: student = answers.logits } = answers.distilled ?? {};
	const taught = type === "hard" ? crossEntropy(student, bestOf(teacher)) : softDistillation(student, teacher, tau);
	return base(head).mul(1 - alpha).add(taught.mul(alpha));
}
/** (1 - ε) · target + ε / K (Szegedy et al. 2016, section 7). */
const smooth = (target, smoothing) => smoothing === 0 ? target : target.mul(1 - smoothing).add(smoothing / target.shape[1]);
/** Mean over the batch of -Σ target ⊙ log softmax(logits); logits and target [N, K], target a distribution. */
function crossEntropy(logits, target) {
	checkLogits(logits);
	return target.mul(logits.logSoftmax(1)).sum().mul(-1 / logits.shape[0]);
}
/** Mean over batch and classes of softplus(x) - y · x = -y log σ(x) - (1 - y) log(1 - σ(x)). */
function binaryCrossEntropy(logits, target, { threshold, sum = false }) {
	checkLogits(logits);
	const y = threshold === void 0 ? target : target.greater(threshold).cast("float32");
	const [batch, classes] = logits.shape;
	return logits.softplus().sub(y.mul(logits)).sum().mul(1 / (sum ? batch : batch * classes));
}
/** τ² · KL(softmax(teacher / τ) ‖ softmax(student / τ)), averaged over batch and classes as DeiT's code does. */
function softDistillation(student, teacher, tau) {
	const wanted = teacher.mul(1 / tau).logSoftmax(1);
	const [batch, classes] = student.shape;
	return wanted.exp().mul(wanted.sub(student.mul(1 / tau).logSoftmax(1))).sum().mul(tau ** 2 / (batch * classes));
}
/** One in the place of each row's largest, shared among equals. */
function bestOf(teacher) {
	const best = teacher.equal(teacher.amax([1], true)).cast("float32");
	return best.div(best.sum([1], true));
}
function checkLogits(logits) {
	if (logits.rank !== 2) throw new TesseraeError("shape", `the loss takes logits [N, classes], not ${showShape(logits.shape)}`);
}
//#endregion
//#region src/train/noise.ts
const toInt = (v) => v | 0;
const int32 = (v) => constant(toInt(v), [], "int32");
/** x ^ (x >>> bits) on int32: the runtime shifts unsigned integers only. */
function xorShift(x, bits) {
	const u = x.cast("uint32");
	return u.bitXor(u.shiftRight(bits)).cast("int32");
}
/** MurmurHash3's 32-bit finaliser; int32 products wrap. */
function mix(x) {
	x = xorShift(x, 16).mul(int32(2246822507));
	x = xorShift(x, 13).mul(int32(3266489909));
	return xorShift(x, 16);
}
/**
* Uniform noise inside a program: a hash of (seed, global sample index, layer, element), so that a batch can be
* replayed and neither workers nor micro-batches change a bit. The leading axis is the batch, or a multiple of it.
* @param samples int32 [N], the global index of each sample of the batch
*/
function noiseSource(seed, samples) {
	let draws = 0;
	return (wanted) => {
		const layer = hashString(`${currentScope()}#${draws++}`);
		const batch = samples.size;
		const rest = wanted[0] !== batch ? [wanted[0] / batch, ...wanted.slice(1)] : wanted.slice(1);
		const key = mix(mix(samples.mul(int32(2654435769)).add(int32(seed))).add(int32(layer))).reshape([batch, ...rest.map(() => 1)]);
		const size = sizeOf(rest);
		const places = constant(Float64Array.from({ length: size }, (_, i) => Math.imul(i, 2654435769)), [1, ...rest], "int32");
		return mix(size === 1 ? key : key.add(places)).cast("uint32").shiftRight(8).cast("float32").mul(2 ** -24).reshape(wanted);
	};
}
//#endregion
//#region src/models/layer-groups.ts
const STEM = /^(?:cls_token|reg_token|dist_token|pos_embed1?$|pos_grid\.|patch_embed1?\.|norm_pre\.|stem\.|conv_stem\.|conv1\.|bn1\.|features\.0\.)/;
/** The numbers they capture order the blocks; one that is absent counts as 0. */
const BLOCKS = [
	/^blocks\.(\d+)\.(?:(\d+)\.(?!fn\.|weight$|bias$))?/,
	/^layers\.(\d+)\.(?:blocks\.(\d+))?/,
	/^stages\.(\d+)\./,
	/^layer(\d+)\.(\d+)\./,
	/^block(\d+)\.(\d+)\./,
	/^(?:patch_embed|pos_embed)([2-4])/,
	/^features\.(\d+)\./
];
/** Goes with the last block. */
const LAST = /^(?:norm\.|conv_head\.|bn2\.)/;
/**
* Layers as timm's `group_matcher` makes them for layer-wise rates, for the families that timm has; the others follow
* their next of kin. What no rule knows belongs to the head.
*/
function layerGroups(names) {
	const last = (name) => LAST.test(name) && (names.includes("bn2.weight") || !name.startsWith("conv_head"));
	const order = (name) => {
		if (STEM.test(name)) return [0];
		for (const pattern of BLOCKS) {
			const found = pattern.exec(name);
			if (found) return [
				1,
				Number(found[1]),
				Number(found[2] ?? 0)
			];
		}
		return last(name) ? [2] : [3];
	};
	const places = new Map(names.map((name) => [name, order(name)]));
	const present = [...new Set([...places.values()].map(String))].map((s) => s.split(",").map(Number)).sort(compare);
	const layer = /* @__PURE__ */ new Map();
	let count = 0;
	for (const place of present) {
		if (place[0] !== 2 || count === 0) count++;
		layer.set(String(place), count - 1);
	}
	return {
		count,
		layer: new Map(names.map((name) => [name, layer.get(String(places.get(name)))]))
	};
}
/** Layers of a model whose names follow no rule: its matrices in order, twelve groups of them, and the last one. */
function depthGroups(slots) {
	const matrices = slots.filter((s) => s.shape.length > 1).length;
	const groups = Math.min(12, Math.max(1, matrices - 1));
	const layer = /* @__PURE__ */ new Map();
	let seen = -1;
	for (const { name, shape } of slots) {
		if (shape.length > 1) seen++;
		const last = seen === matrices - 1;
		layer.set(name, last ? groups : Math.floor(Math.max(0, seen) * groups / Math.max(1, matrices - 1)));
	}
	return {
		count: groups + 1,
		layer
	};
}
/** Layers of a model's parameters. */
const layersOf = ({ name, slots }) => {
	const parameters = slots.filter((s) => s.slot === "parameter");
	return name === "onnx" ? depthGroups(parameters) : layerGroups(parameters.map((s) => s.name));
};
const compare = (a, b) => a[0] - b[0] || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0);
//#endregion
//#region src/train/update.ts
/** The state tensor that keeps a moment of a parameter. */
const momentName = (moment, parameter) => `${moment}/${parameter}`;
function trainedParameters(model) {
	const parameters = model.slots.filter((s) => s.slot === "parameter");
	const { count, layer } = layersOf(model);
	return parameters.map((s, i) => {
		const at = layer.get(s.name);
		const classifier = i >= parameters.length - 2;
		return {
			...s,
			hidden: at > 0 && at < count - 1,
			below: count - 1 - at,
			classifier
		};
	});
}
/** Names and shapes of the moments an optimizer keeps for parameters. */
const momentShapes = (optimizer, parameters) => parameters.flatMap((p) => Object.entries(optimizer.moments(p)).map(([m, shape]) => [momentName(m, p.name), shape]));
/**
* Puts the next value and moments of every parameter, and the optimizer's scalars, into `next`.
* `norm` is that of the whole gradient.
*/
function applyOptimizer({ optimizer, weightDecay = 0, layerDecay = 1, clipGrad, clipMode = "norm" }, parameters, slots, gradients, next, { lr, norm }) {
	const scalars = Object.fromEntries(Object.entries(optimizer.scalars).map(([name, advance]) => {
		const value = advance(input(name, "float32", []));
		next.set(name, value);
		return [name, value];
	}));
	const gradScale = clipGrad !== void 0 && clipMode === "norm" ? clipFactor(norm, clipGrad) : void 0;
	const rates = layerRates(lr, layerDecay);
	parameters.forEach((parameter, i) => {
		const { name, decay, classifier } = parameter;
		const value = slots.get(name);
		const kept = Object.entries(optimizer.moments(parameter));
		const moments = Object.fromEntries(kept.map(([m, s]) => [m, input(momentName(m, name), "float32", s)]));
		const context = {
			lr: rates(parameter.below),
			gradScale,
			weightDecay: decay ? weightDecay : 0,
			scalars
		};
		let gradient = gradients[i];
		if (clipGrad !== void 0 && clipMode === "value") gradient = clipValue(gradient, clipGrad);
		if (clipGrad !== void 0 && clipMode === "agc" && !classifier) gradient = adaptiveClip(gradient, value, clipGrad);
		const updated = optimizer.update({
			value,
			moments
		}, gradient, context);
		next.set(name, updated.value);
		for (const [m, t] of Object.entries(updated.moments)) next.set(momentName(m, name), t);
	});
}
/** lr · decay^below, one node a layer; lr itself where the factor is 1. */
function layerRates(lr, decay) {
	const rates = /* @__PURE__ */ new Map();
	return (below) => {
		const factor = decay ** below;
		if (!rates.has(below)) rates.set(below, factor === 1 ? lr : lr.mul(factor));
		return rates.get(below);
	};
}
//#endregion
//#region src/train/step.ts
/** Names of state tensors beside the model's own. */
const averageName = (slot) => `ema/${slot}`;
const STEP = "step";
const gradientName = (parameter) => `${GRADIENT}${parameter}`;
/** Accumulated gradients mean nothing between two updates: checkpoints leave them out. */
const GRADIENT = "grad/";
/** Pixels 0..255 [N, C, H, W] to what the model expects: (x / 255 - mean) / std. */
function normalize(pixels, { preprocessing: { mean, std }, inputShape: [channels] }) {
	const perChannel = (f) => constant(Array.from({ length: channels }, (_, c) => f(c % mean.length)), [
		1,
		channels,
		1,
		1
	]);
	return pixels.cast("float32").mul(perChannel((c) => 1 / (255 * std[c]))).add(perChannel((c) => -mean[c] / std[c]));
}
/** Forward and backward. `first`, int32 [], is the number of images before this batch in the whole run. */
function backward(model, options, first) {
	const { batch, seed = 0, pixels = "uint8", frozen = NONE, constants } = options;
	const image = input("image", pixels, [batch, ...model.inputShape]);
	const target = input("target", "float32", [batch, model.numClasses]);
	const teacher = options.distillation && input("teacher", "float32", [batch, model.numClasses]);
	const samples = constant([...Array(batch).keys()], [batch], "int32").add(first);
	const { output, slots, updates, taps } = traceLogits(model, pixels === "uint8" ? normalize(image, model) : image, {
		training: true,
		source: "inputs",
		noise: noiseSource(seed, samples),
		frozen,
		constants,
		without: options.without,
		taps: teacher ? ["head", "head_dist"] : []
	});
	const [head, distillation] = [taps.get("head"), taps.get("head_dist")];
	const loss = lossOf({
		logits: output,
		distilled: head && distillation && {
			head,
			distillation
		}
	}, target, teacher, options);
	const parameters = trainedParameters(model).filter(({ name }) => slots.has(name) && !frozen.has(name));
	return {
		loss,
		parameters,
		gradients: gradientsOf(loss, image, parameters.map((s) => slots.get(s.name)), options),
		slots,
		updates,
		inputs: teacher ? [
			image,
			target,
			teacher
		] : [image, target]
	};
}
function gradientsOf(loss, image, parameters, { checkpointing }) {
	if (!checkpointing) return grad(loss, parameters);
	const cuts = cutsOf(loss, image);
	const all = grad(loss, [...parameters, ...cuts]);
	const [gradients, cutGradients] = [all.slice(0, parameters.length), all.slice(parameters.length)];
	return recompute({
		loss,
		source: image,
		gradients,
		cuts,
		cutGradients
	}).gradients;
}
const NONE = /* @__PURE__ */ new Set();
/** NaN and infinity minus themselves are NaN. */
const allFinite = (...values) => values.map((v) => v.sub(v)).reduce((a, b) => a.add(b)).equal(0);
/** Clipping, optimizer and averages: the next state from the gradients. */
function update(model, options, step, slots, gradients) {
	const lr = input("lr", "float32", []);
	const parameters = trainedParameters(model).filter(({ name }) => gradients.has(name));
	const norm = globalNorm([...gradients.values()]);
	const next = new Map([[STEP, step.add(1)]]);
	applyOptimizer(options, parameters, slots, [...gradients.values()], next, {
		lr,
		norm
	});
	return {
		norm,
		next,
		lr
	};
}
const withNext = (outputs, next) => new Map([...outputs, ...[...next].map(([name, t]) => [NEXT + name, t])]);
const named = ({ parameters, gradients }) => new Map(parameters.map(({ name }, i) => [name, gradients[i]]));
/**
* One training step as one program: forward, loss, gradients, clipping, optimizer, averages.
* Inputs: image [N, C, H, W], target [N, classes], teacher [N, classes] with distillation, lr [], and the state.
* Outputs: loss [], grad_norm [], finite (bool []: the step may be committed), and the next state.
*/
function trainStep(model, options) {
	const step = input(STEP, "int32", []);
	const b = backward(model, options, step.mul(options.batch));
	const { norm, next, lr } = update(model, options, step, b.slots, named(b));
	for (const [name, value] of b.updates) next.set(name, value);
	average(model.slots, b.slots, next, options, step);
	return program("train_step", withNext([
		["loss", b.loss],
		["grad_norm", norm],
		["finite", allFinite(b.loss, norm)]
	], next), [...b.inputs, lr]);
}
/** average' = decay · average + (1 - decay) · value, for parameters and running statistics. */
function average(all, slots, next, { emaDecay, emaWarmupPower, frozen = NONE }, step) {
	if (emaDecay === void 0) return;
	const decay = emaWarmupPower === void 0 ? void 0 : warmed(emaDecay, emaWarmupPower, step);
	for (const { name, dtype, shape } of all) {
		const value = next.get(name) ?? slots.get(name);
		if (!value || frozen.has(name)) continue;
		const old = input(averageName(name), dtype, shape);
		const mean = decay ? value.add(old.sub(value).mul(decay)) : old.mul(emaDecay).add(value.mul(1 - emaDecay));
		next.set(averageName(name), dtype === "float32" ? mean : value);
	}
}
/** min(decay, 1 - (1 + t)^(-power)) after t updates, so that the first average is the first weights (timm's EMA). */
const warmed = (decay, power, step) => constant(1).sub(step.cast("float32").add(1).pow(-power)).min(decay);
/** The state before the first step: given weights, zero moments, averages that start at the weights. */
function initialState(model, weights, { optimizer, emaDecay, accumulate = 1, frozen = NONE }) {
	const state = new Map(weights);
	const zero = (name, dtype, shape) => state.set(name, {
		dtype,
		shape,
		data: allocate(dtype, sizeOf(shape))
	});
	zero(STEP, "int32", []);
	for (const name of Object.keys(optimizer.scalars)) zero(name, "float32", []);
	for (const [name, shape] of momentShapes(optimizer, trainedParameters(model).filter(({ name }) => !frozen.has(name)))) zero(name, "float32", shape);
	for (const { name, slot, shape } of model.slots.filter((s) => !frozen.has(s.name))) {
		if (slot === "parameter" && accumulate > 1) zero(gradientName(name), "float32", shape);
		if (emaDecay !== void 0) state.set(averageName(name), weights.get(name));
	}
	return state;
}
//#endregion
//#region src/train/stepper.ts
/** Loads a training program, which our passes have rewritten already. */
const loadStep = (backend, step, options) => backend.load(encodeModel(step), {
	optimization: "extended",
	memoryPlan: false,
	...options
});
//#endregion
//#region src/node/ort-blocks.ts
/** More channels than any processor's block, and two pixels. */
const SHAPE = [
	1,
	64,
	1,
	2
];
let known;
/** Channels side by side in the runtime's layout for convolutions on this processor; undefined where it has none. */
const blockOf = (device) => {
	if (device !== "cpu") return Promise.resolve(void 0);
	known ??= tryReorder().catch(() => void 0);
	return known;
};
/** Reorders one image: pixel 1 of channel 0 comes right after pixel 0 of the block's channels. */
async function tryReorder() {
	const x = input("x", "float32", SHAPE);
	const { model } = encodeModel(program("block", new Map([["y", reorderInput(x, 1)]])));
	const session = await ort.InferenceSession.create(model, {
		intraOpNumThreads: 1,
		logSeverityLevel: 4
	});
	const ramp = Float32Array.from({ length: 128 }, (_, i) => i);
	const { y } = await session.run({ x: new ort.Tensor("float32", ramp, SHAPE) });
	await session.release();
	const block = y.data.indexOf(1);
	const blocked = ramp.map((_, i) => {
		const [channel, pixel] = [Math.floor(i / (2 * block)) * block + i % block, Math.floor(i / block) % 2];
		return 2 * channel + pixel;
	});
	return block > 1 && 64 % block === 0 && blocked.every((v, i) => v === y.data[i]) ? block : void 0;
}
//#endregion
//#region src/node/ort-state.ts
const toOrt = ({ dtype, shape, data }) => new ort.Tensor(dtype, data, shape);
const fromOrt = (t) => ({
	dtype: t.type,
	shape: t.dims,
	data: t.data
});
const copyOf = (t) => ({
	...t,
	data: t.data.slice()
});
const unknown = (name) => new TesseraeError("internal", `the state has no tensor ${name}`);
/** Two host buffers a tensor: a run reads one and writes the other, then they change places. Nothing is copied. */
var HostState = class {
	#front = /* @__PURE__ */ new Map();
	#back = /* @__PURE__ */ new Map();
	constructor(tensors) {
		for (const [name, t] of tensors) {
			this.#front.set(name, toOrt(copyOf(t)));
			this.#back.set(name, toOrt({
				...t,
				data: allocate(t.dtype, sizeOf(t.shape))
			}));
		}
	}
	current = (name) => this.#front.get(name);
	target = (name) => this.#back.get(name);
	settle(next, commit) {
		if (!commit) return;
		for (const [name, value] of next) {
			this.#back.set(name, this.#get(name));
			this.#front.set(name, value);
		}
	}
	async read(names = [...this.#front.keys()]) {
		return new Map(names.map((name) => [name, copyOf(fromOrt(this.#get(name)))]));
	}
	async write(tensors) {
		for (const [name, t] of tensors) this.#get(name).data.set(t.data);
	}
	async dispose() {
		this.#front.clear();
		this.#back.clear();
	}
	#get(name) {
		const t = this.#front.get(name);
		if (!t) throw unknown(name);
		return t;
	}
};
/** Tensors that stay in the device's buffers from run to run; they cross to the host only when read. */
var DeviceState = class {
	#tensors = /* @__PURE__ */ new Map();
	#types = /* @__PURE__ */ new Map();
	#device;
	constructor(tensors, device) {
		this.#device = device;
		for (const [name, t] of tensors) {
			this.#tensors.set(name, toOrt(copyOf(t)));
			this.#types.set(name, {
				dtype: t.dtype,
				shape: t.shape
			});
		}
	}
	current = (name) => this.#tensors.get(name);
	target = () => void 0;
	settle(next, commit) {
		for (const [name, value] of next) {
			release(commit ? this.#tensors.get(name) : value);
			if (commit) this.#tensors.set(name, value);
		}
	}
	/** The binding has no download of its own: a program that copies its inputs brings them back. */
	async read(names = [...this.#tensors.keys()]) {
		const away = names.filter((name) => this.#get(name).location !== "cpu");
		const copied = away.length ? await this.#download(away) : /* @__PURE__ */ new Map();
		return new Map(names.map((name) => [name, copied.get(name) ?? copyOf(fromOrt(this.#get(name)))]));
	}
	async #download(names) {
		const { model } = encodeModel(program("read", new Map(names.map((name) => {
			const { dtype, shape } = this.#types.get(name);
			return [`copy:${name}`, input(name, dtype, shape)];
		}))));
		const session = await ort.InferenceSession.create(model, {
			executionProviders: [this.#device],
			logSeverityLevel: 3
		});
		const results = await session.run(Object.fromEntries(names.map((name) => [name, this.#get(name)])));
		await session.release();
		return new Map(names.map((name) => [name, fromOrt(results[`copy:${name}`])]));
	}
	async write(tensors) {
		for (const [name, t] of tensors) {
			release(this.#get(name));
			this.#tensors.set(name, toOrt(copyOf(t)));
		}
	}
	async dispose() {
		for (const t of this.#tensors.values()) release(t);
		this.#tensors.clear();
	}
	#get(name) {
		const t = this.#tensors.get(name);
		if (!t) throw unknown(name);
		return t;
	}
};
const release = (t) => {
	if (t && t.location !== "cpu") t.dispose();
};
//#endregion
//#region src/node/ort.ts
/** Devices this installation can run on. */
const listDevices = () => ort.listSupportedBackends().filter((b) => b.bundled).map((b) => b.name);
/** The device, where it can be used; else a TesseraeError that lists those that can. */
function checkDevice(device = "cpu") {
	const available = listDevices();
	if (available.includes(device)) return device;
	throw new TesseraeError("runtime", `device ${device} is not available here`, { hint: `Available: ${available.join(", ")}` });
}
/** onnxruntime-node in the calling thread. `run` blocks it; `createEngine` puts it into a worker. */
async function createOrtBackend(options = {}) {
	const device = checkDevice(options.device);
	return {
		device,
		block: await blockOf(device),
		load: (model, loadOptions = {}) => load$1(model, loadOptions, device, options.threads),
		createState: async (tensors) => keepsState(device) ? new DeviceState(tensors, device) : new HostState(tensors),
		dispose: async () => {}
	};
}
async function load$1(model, options, device, threads) {
	try {
		return new OrtSession(await ort.InferenceSession.create(model.model, {
			executionProviders: [device],
			graphOptimizationLevel: options.optimization ?? "all",
			interOpNumThreads: 1,
			executionMode: "sequential",
			logSeverityLevel: 3,
			enableMemPattern: options.memoryPlan ?? true,
			...keepsState(device) && { preferredOutputLocation: stateOnDevice(model.model) },
			...threads && { intraOpNumThreads: threads },
			...options.profile && {
				enableProfiling: true,
				profileFilePrefix: options.profile
			},
			...model.external && { externalData: [{
				path: model.external.location,
				data: joinChunks(model.external.chunks)
			}] }
		}), options.profile !== void 0);
	} catch (cause) {
		throw new TesseraeError("runtime", `the runtime refused the program: ${reason(cause)}`, { cause });
	}
}
/** WebGPU keeps outputs in its own buffers; the other providers hand them back to the host. */
const keepsState = (device) => device === "webgpu";
/** Every output that is a next state stays on the device, the rest comes back. */
const stateOnDevice = (model) => Object.fromEntries((decodeProto(model).graph?.output ?? []).map(({ name }) => [name, name.startsWith("next:") ? "gpu-buffer" : "cpu"]));
const reason = (cause) => (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
var OrtSession = class {
	#session;
	#profiling;
	constructor(session, profiling) {
		this.#session = session;
		this.#profiling = profiling;
	}
	async run(feeds, { state, commit } = {}) {
		const store = state;
		const inputs = {};
		for (const name of this.#session.inputNames) {
			const given = feeds.get(name);
			const value = given ? toOrt(given) : store?.current(name);
			if (!value) throw new TesseraeError("internal", `no value for the input ${name}`);
			inputs[name] = value;
		}
		const fetches = {};
		for (const name of this.#session.outputNames) fetches[name] = name.startsWith("next:") && store?.target(name.slice(5)) || null;
		const results = await this.#session.run(inputs, fetches);
		const outputs = /* @__PURE__ */ new Map();
		const next = /* @__PURE__ */ new Map();
		for (const [name, value] of Object.entries(results)) if (store && name.startsWith("next:")) next.set(name.slice(5), value);
		else outputs.set(name, fromOrt(value));
		store?.settle(next, !commit || Boolean(outputs.get(commit)?.data[0]));
		return outputs;
	}
	async dispose() {
		if (this.#profiling) this.#session.endProfiling();
		await this.#session.release();
	}
};
//#endregion
//#region ck.tmp.ts
const [name, batchS, ck, stepsS, opts = "{}"] = process.argv.slice(2);
const batch = Number(batchS), steps = Number(stepsS);
const model = createModel(name, JSON.parse(opts));
const backend = await createOrtBackend({
	device: "cpu",
	threads: 2
});
const options = {
	batch,
	optimizer: createOptimizer("adamw"),
	weightDecay: .05,
	clipGrad: 1,
	checkpointing: ck === "1"
};
const weights = initialize(model, 0);
const state = await backend.createState(initialState(model, weights, options));
const t0 = performance.now();
const step = await loadStep(backend, optimize(trainStep(model, options), { block: backend.block }));
const load = performance.now() - t0;
const sh = model.inputShape;
const image = {
	dtype: "uint8",
	shape: [batch, ...sh],
	data: Uint8Array.from({ length: batch * sh.reduce((a, b) => a * b) }, (_, i) => Math.imul(i, 2654435761) >>> 24)
};
const t = new Float32Array(batch * model.numClasses);
for (let i = 0; i < batch; i++) t[i * model.numClasses + i % model.numClasses] = 1;
const feeds = new Map([
	["image", image],
	["target", {
		dtype: "float32",
		shape: [batch, model.numClasses],
		data: t
	}],
	["lr", {
		dtype: "float32",
		shape: [],
		data: Float32Array.of(.001)
	}]
]);
const times = [];
const out = [];
for (let i = 0; i < steps; i++) {
	const a = performance.now();
	process.cpuUsage();
	const r = await step.run(feeds, {
		state,
		commit: "finite"
	});
	times.push(performance.now() - a);
	out.push(String(r.get("loss").data[0]) + " " + String(r.get("grad_norm").data[0]));
}
const hwm = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
console.log(JSON.stringify({
	name,
	batch,
	ck,
	load: load.toFixed(0),
	ms: times.map((x) => x.toFixed(0)),
	peakMiB: (Number(hwm) / 1024).toFixed(0),
	out
}));
process.exit(0);
//#endregion
export {};
