/**
 * Passes as compute shaders.
 *
 * One shader does a pass for several leaves at once: the second index of a workgroup says for which. Sizes and strides are
 * parameters, so a shader depends on the structure of a pass alone. A reduction gives a workgroup a stretch of elements;
 * its threads fold them in strides, and then each other's results.
 */
import { nameOf, printBody } from "../gpu/body.ts"
import type { Pass } from "../gpu/lower.ts"
import { dialect, prelude } from "./dialect.ts"

/** Threads in a workgroup. */
export const threads = 64

/** How an input is read: like the result, as one number everywhere, or along strides. */
export type Mode = "whole" | "single" | "strided"

/** What decides a shader. */
export interface Variant {
  readonly pass: Pass
  readonly modes: ReadonlyArray<Mode>
  /** For each input, the result that is written over it, or −1. */
  readonly over: ReadonlyArray<number>
  /** For how many leaves. */
  readonly leaves: number
}

/** What tells shaders apart. */
export const keyOf = ({ leaves, modes, over, pass }: Variant): string =>
  `${pass.key}|${modes.join()}|${over.join()}|${leaves}`

/** Words of parameters of one leaf: size, chunk, chunks, total, neutral element, extents, strides. */
const fixedWords = 5

/** How many words of parameters a leaf has. */
export const wordsOf = ({ extents, inputs }: Pass): number => fixedWords + extents.length * (1 + inputs.length)

const quads = (count: number): number => Math.max(1, Math.ceil(count / 4))

/** Where the parameters of the leaves start, in words; the scalars come first. */
export const wordsStart = ({ scalars }: Pass): number => 4 * quads(scalars.length)

/** The buffers of one leaf in the order of their bindings: inputs that are not written over, then results. */
export const bindingsOf = ({
  over,
  pass
}: Pick<Variant, "over" | "pass">): ReadonlyArray<{
  readonly _tag: "Input" | "Result"
  readonly index: number
}> => [
  ...pass.inputs.flatMap((_, index) => (over[index] === -1 ? [{ _tag: "Input" as const, index }] : [])),
  ...pass.results.map((_, index) => ({ _tag: "Result" as const, index }))
]

const bufferName = ({ over }: Variant, leaf: number, input: number): string => {
  const result = over[input] ?? -1
  return result === -1 ? `input${leaf}_${input}` : `result${leaf}_${result}`
}

const declarations = (variant: Variant): ReadonlyArray<string> => {
  const bindings = bindingsOf(variant)
  return Array.from({ length: variant.leaves }, (_, leaf) =>
    bindings.map(({ _tag, index }, position) => {
      const binding = 1 + leaf * bindings.length + position
      const [access, name] = _tag === "Input" ? ["read", "input"] : ["read_write", "result"]
      return `@group(0) @binding(${binding}) var<storage, ${access}> ${name}${leaf}_${index}: array<f32>;`
    })
  ).flat()
}

/** Where an index over some of the loops leads in an input. */
const walk = ({ extents }: Pass, input: number, from: number, to: number, index: string): ReadonlyArray<string> => {
  const loops = extents.length
  const lines = [`var rest${from} = ${index};`]
  for (let loop = to - 1; loop >= from; loop--) {
    const stride = `word(base + ${fixedWords + loops + input * loops + loop}u)`
    const extent = `word(base + ${fixedWords + loop}u)`
    if (loop === from) lines.push(`at += rest${from} * ${stride};`)
    else
      lines.push(
        `{ let up = rest${from} / ${extent}; at += (rest${from} - up * ${extent}) * ${stride}; rest${from} = up; }`
      )
  }
  return lines
}

/** The line that reads an input at an element of the result, or at one that is folded into it. */
const read = (variant: Variant, leaf: number, input: number): string => {
  const { modes, pass } = variant
  const buffer = bufferName(variant, leaf, input)
  if (modes[input] === "single") return `let i${input} = ${buffer}[0];`
  const loops = pass.extents.length
  if (modes[input] === "whole")
    return `let i${input} = ${buffer}[${pass.reduce === undefined ? "element" : "element * total + folded"}];`
  const lines = [
    ...(pass.kept > 0 ? walk(pass, input, 0, pass.kept, "element") : []),
    ...(pass.kept < loops ? walk(pass, input, pass.kept, loops, "folded") : [])
  ]
  return `var i${input}: f32; { var at = 0u; ${lines.join(" ")} i${input} = ${buffer}[at]; }`
}

const scalarLines = ({ scalars }: Pass): ReadonlyArray<string> =>
  scalars.map((_, index) => `let s${index} = parameters.scalars[${Math.floor(index / 4)}][${index % 4}];`)

const store = (variant: Variant, leaf: number): string => {
  const { pass } = variant
  return `fn leaf${leaf}(group: u32, thread: u32) {
  let base = ${leaf * wordsOf(pass)}u;
  let element = group * ${threads}u + thread;
  if (element >= word(base)) { return; }
  ${[...scalarLines(pass), ...pass.inputs.map((_, input) => read(variant, leaf, input))].join("\n  ")}
  ${printBody(pass.body, dialect)}
  ${pass.results.map(({ value }, index) => `result${leaf}_${index}[element] = ${nameOf(value)};`).join("\n  ")}
}`
}

const combines = {
  sum: (a: string, b: string) => `${a} + ${b}`,
  max: (a: string, b: string) => `maximum(${a}, ${b})`,
  min: (a: string, b: string) => `minimum(${a}, ${b})`
}

const reduction = (variant: Variant, leaf: number): string => {
  const { pass } = variant
  const combine = combines[pass.reduce ?? "sum"]
  const value = nameOf(pass.results[0]?.value ?? { _tag: "Input", index: 0 })
  return `fn leaf${leaf}(group: u32, thread: u32) {
  let base = ${leaf * wordsOf(pass)}u;
  let chunk = word(base + 1u);
  let chunks = word(base + 2u);
  let total = word(base + 3u);
  let element = group / chunks;
  if (element >= word(base)) { return; }
  let start = (group % chunks) * chunk;
  let end = min(start + chunk, total);
  ${scalarLines(pass).join("\n  ")}
  var all = bitcast<f32>(word(base + 4u));
  for (var folded = start + thread; folded < end; folded += ${threads}u) {
    ${pass.inputs.map((_, input) => read(variant, leaf, input)).join("\n    ")}
    ${printBody(pass.body, dialect)}
    all = ${combine("all", value)};
  }
  shared_[thread] = all;
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { shared_[thread] = ${combine("shared_[thread]", "shared_[thread + half]")}; }
  }
  if (thread == 0u) { result${leaf}_0[group] = shared_[0]; }
}`
}

/** The text of a compute shader. */
export const print = (variant: Variant): string => {
  const { leaves, pass } = variant
  const numbers = Array.from({ length: leaves }, (_, leaf) => leaf)
  const isReduction = pass.reduce !== undefined
  return `${prelude}
struct Parameters {
  scalars: array<vec4<f32>, ${quads(pass.scalars.length)}>,
  words: array<vec4<u32>, ${quads(leaves * wordsOf(pass))}>
}
@group(0) @binding(0) var<uniform> parameters: Parameters;
${declarations(variant).join("\n")}
${isReduction ? `var<workgroup> shared_: array<f32, ${threads}>;` : ""}
fn word(index: u32) -> u32 { return parameters.words[index / 4u][index % 4u]; }
${numbers.map((leaf) => (isReduction ? reduction(variant, leaf) : store(variant, leaf))).join("\n")}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32
) {
  let index = group.z * groups.x + group.x;
  switch group.y {
    ${numbers.map((leaf) => `case ${leaf}u: { leaf${leaf}(index, thread); }`).join("\n    ")}
    default: {}
  }
}`
}
