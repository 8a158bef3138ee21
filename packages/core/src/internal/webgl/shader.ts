/**
 * Passes as fragment shaders.
 *
 * tfjs packs a matrix in texels of two rows and two columns; a vector is a matrix of one row, further axes are a batch.
 * What lies beyond an odd edge must stay 0, because tfjs' products sum over it. Sizes and strides are uniforms, so a
 * shader depends on the structure of a pass alone, and on how its inputs lie to each other.
 */
import { printBody, nameOf } from "../gpu/body.ts"
import type { Pass } from "../gpu/lower.ts"
import { dialect, prelude } from "./dialect.ts"

/**
 * How an input is read: at the place of the result in its texture, at the texel of the result in a texture of another
 * width, as one number everywhere, or element by element along strides.
 */
export type Mode = "place" | "texel" | "single" | "element"

/** What of a pass decides its shader. */
export interface Variant {
  readonly pass: Pass
  readonly modes: ReadonlyArray<Mode>
  /** For reductions: are whole texels folded, rather than elements along the loops? */
  readonly foldsTexels: boolean
  /** Is every element of every texel one of the result? So it is without odd edges. */
  readonly isFull: boolean
}

const common = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
${prelude}
struct Place { ivec4 elements; bvec4 exists; };

/** The elements of a texel of a tensor with g.x rows and g.y columns. */
Place placeOf(int texel, ivec3 g) {
  ivec2 half2 = (g.xy + 1) / 2;
  int column = 2 * (texel % half2.y);
  int above = texel / half2.y;
  int row = 2 * (above % half2.x);
  int first = ((above / half2.x) * g.x + row) * g.y + column;
  bool below = row + 1 < g.x;
  bool beside = column + 1 < g.y;
  return Place(ivec4(first, first + 1, first + g.y, first + g.y + 1), bvec4(true, beside, below, below && beside));
}

vec4 texelOf(sampler2D t, ivec3 g, int texel) { return texelFetch(t, ivec2(texel % g.z, texel / g.z), 0); }

/** One element of a tensor in a texture of g.z texels in a row. */
float elementOf(sampler2D t, ivec3 g, int element) {
  int column = element % g.y;
  int above = element / g.y;
  int row = above % g.x;
  ivec2 half2 = (g.xy + 1) / 2;
  int texel = ((above / g.x) * half2.x + row / 2) * half2.y + column / 2;
  vec4 four = texelOf(t, g, texel);
  vec2 pair = (row & 1) == 0 ? four.xy : four.zw;
  return (column & 1) == 0 ? pair.x : pair.y;
}

uniform ivec3 og;
`

/** Where an index over some of the loops leads in an input. */
const walk = (input: number, loops: number, from: number, to: number, index: string): ReadonlyArray<string> => {
  const lines = [`int rest${from} = ${index};`]
  for (let loop = to - 1; loop >= from; loop--) {
    const stride = `strides[${input * loops + loop}]`
    if (loop === from) lines.push(`at += rest${from} * ${stride};`)
    else
      lines.push(
        `{ int up = rest${from} / extents[${loop}]; at += (rest${from} - up * extents[${loop}]) * ${stride}; rest${from} = up; }`
      )
  }
  return lines
}

/** The function that reads an input at one element of the loops. */
const reader = ({ pass }: Variant, input: number): string => {
  const { extents, kept } = pass
  const loops = extents.length
  const lines = [
    "int at = 0;",
    ...(kept > 0 ? walk(input, loops, 0, kept, "element") : []),
    ...(kept < loops ? walk(input, loops, kept, loops, "folded") : []),
    `return elementOf(t${input}, g${input}, at);`
  ]
  return `float read${input}(int element, int folded) {\n  ${lines.join("\n  ")}\n}`
}

const declarations = ({ modes, pass }: Variant): ReadonlyArray<string> => {
  const elements = modes.includes("element")
  const loops = pass.extents.length
  return [
    ...pass.inputs.flatMap((_, input) => [`uniform sampler2D t${input};`, `uniform ivec3 g${input};`]),
    ...(pass.scalars.length === 0 ? [] : [`uniform vec4 scalars[${Math.ceil(pass.scalars.length / 4)}];`]),
    ...(elements ? [`uniform int extents[${loops}];`, `uniform int strides[${loops * pass.inputs.length}];`] : []),
    ...pass.results.map((_, index) => `layout(location = ${index}) out vec4 r${index};`)
  ]
}

const scalarLines = ({ scalars }: Pass): ReadonlyArray<string> =>
  scalars.map((_, index) => `vec4 s${index} = vec4(scalars[${Math.floor(index / 4)}][${index % 4}]);`)

const single = (input: number): string => `vec4(texelFetch(t${input}, ivec2(0), 0).x)`

const four = (input: number, element: (lane: string) => string): string =>
  `vec4(${["x", "y", "z", "w"].map((lane) => `read${input}(${element(lane)})`).join(", ")})`

const store = (variant: Variant): string => {
  const { isFull, modes, pass } = variant
  const inputs = modes.map((mode, input) => {
    const value = {
      place: `texelFetch(t${input}, ivec2(gl_FragCoord.xy), 0)`,
      texel: `texelOf(t${input}, g${input}, texel)`,
      single: single(input),
      element: four(input, (lane) => `elements.${lane}, 0`)
    }[mode]
    return `vec4 i${input} = ${value};`
  })
  const results = pass.results.map(({ value }, index) =>
    isFull ? `r${index} = ${nameOf(value)};` : `r${index} = mix(vec4(0.0), ${nameOf(value)}, place.exists);`
  )
  const needsPlace = !isFull || modes.includes("element")
  const texel = "int texel = int(gl_FragCoord.y) * og.z + int(gl_FragCoord.x);"
  const place = "Place place = placeOf(texel, og); ivec4 elements = min(place.elements, ivec4(size - 1));"
  return `void main() {
  ${needsPlace || modes.includes("texel") ? texel : ""}
  ${needsPlace ? place : ""}
  ${[...scalarLines(pass), ...inputs].join("\n  ")}
  ${printBody(pass.body, dialect)}
  ${results.join("\n  ")}
}`
}

const folds = {
  sum: { identity: "0.0", combine: (a: string, b: string) => `${a} + ${b}` },
  max: { identity: "uintBitsToFloat(0xff800000u)", combine: (a: string, b: string) => `maximum4(${a}, ${b})` },
  min: { identity: "uintBitsToFloat(0x7f800000u)", combine: (a: string, b: string) => `minimum4(${a}, ${b})` }
}

const reduction = (variant: Variant): string => {
  const { foldsTexels, modes, pass } = variant
  const { combine, identity } = folds[pass.reduce ?? "sum"]
  const first = modes.indexOf("texel")
  const inputs = modes.map((mode, input) => {
    const value = {
      place: `texelOf(t${input}, g${input}, at)`,
      texel: `texelOf(t${input}, g${input}, at)`,
      single: single(input),
      element: four(input, (lane) => `kept, folded.${lane}`)
    }[mode]
    return `vec4 i${input} = ${value};`
  })
  const [step, place] = foldsTexels
    ? [1, `bvec4 exists = placeOf(at, g${first}).exists;`]
    : [
        4,
        "ivec4 four = at + ivec4(0, 1, 2, 3); bvec4 exists = lessThan(four, ivec4(end)); ivec4 folded = min(four, ivec4(end - 1));"
      ]
  const [{ value } = { value: { _tag: "Input", index: 0 } as const }] = pass.results
  return `uniform int chunk;
uniform int chunks;
uniform int total;
float fold(int element) {
  int kept = element / chunks;
  int start = (element % chunks) * chunk;
  int end = min(start + chunk, total);
  vec4 all = vec4(${identity});
  ${scalarLines(pass).join("\n  ")}
  for (int at = start; at < end; at += ${step}) {
    ${[place, ...inputs].join("\n    ")}
    ${printBody(pass.body, dialect)}
    all = ${combine("all", `mix(vec4(${identity}), ${nameOf(value)}, exists)`)};
  }
  vec4 pairs = ${combine("all", "all.zwxy")};
  return (${combine("pairs", "pairs.yxwz")}).x;
}
void main() {
  Place place = placeOf(int(gl_FragCoord.y) * og.z + int(gl_FragCoord.x), og);
  vec4 result = vec4(0.0);
  for (int lane = 0; lane < 4; lane++)
    if (place.exists[lane] && place.elements[lane] < size) result[lane] = fold(place.elements[lane]);
  r0 = result;
}`
}

/** What tells shaders apart. */
export const keyOf = ({ foldsTexels, isFull, modes, pass }: Variant): string =>
  `${pass.key}|${modes.join()}|${foldsTexels}|${isFull}`

/** The text of a fragment shader. */
export const print = (variant: Variant): string => {
  const readers = variant.modes.flatMap((mode, input) => (mode === "element" ? [reader(variant, input)] : []))
  return [
    common,
    "uniform int size;",
    ...declarations(variant),
    ...readers,
    variant.pass.reduce === undefined ? store(variant) : reduction(variant)
  ].join("\n")
}
