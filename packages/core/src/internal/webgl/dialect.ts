/**
 * The operations of a kernel's body in GLSL ES 3.0, four numbers at a time.
 *
 * Comparisons do not trust the compiler with NaN, which it may assume away; it is recognised by its bits.
 */
import { call, type Dialect, infix } from "../gpu/body.ts"

/** Functions that the forms call. */
export const prelude = `
bvec4 isNaN4(vec4 x) { return greaterThan(floatBitsToUint(x) & uvec4(0x7fffffffu), uvec4(0x7f800000u)); }
bvec4 and4(bvec4 a, bvec4 b) { return bvec4(a.x && b.x, a.y && b.y, a.z && b.z, a.w && b.w); }
bvec4 or4(bvec4 a, bvec4 b) { return bvec4(a.x || b.x, a.y || b.y, a.z || b.z, a.w || b.w); }
vec4 sign4(vec4 x) { return mix(mix(x, vec4(-1.0), lessThan(x, vec4(0.0))), vec4(1.0), greaterThan(x, vec4(0.0))); }
vec4 maximum4(vec4 a, vec4 b) {
  bvec4 zeros = and4(equal(a, vec4(0.0)), equal(b, vec4(0.0)));
  vec4 larger = mix(mix(b, a, greaterThan(a, b)), a + b, zeros);
  return mix(mix(larger, b, isNaN4(b)), a, isNaN4(a));
}
vec4 minimum4(vec4 a, vec4 b) { return -maximum4(-a, -b); }
`

/** How GLSL says it. */
export const dialect: Dialect = {
  number: "vec4",
  mask: "bvec4",
  declare: (type, name, value) => `${type} ${name} = ${value};`,
  forms: {
    neg: (x) => `-${x}`,
    abs: call("abs"),
    sqrt: call("sqrt"),
    floor: call("floor"),
    sign: call("sign4"),
    add: infix("+"),
    sub: infix("-"),
    mul: infix("*"),
    div: infix("/"),
    minimum: call("minimum4"),
    maximum: call("maximum4"),
    less: call("lessThan"),
    lessEqual: call("lessThanEqual"),
    greater: call("greaterThan"),
    greaterEqual: call("greaterThanEqual"),
    equal: call("equal"),
    notEqual: (a, b) => `not(equal(${a}, ${b}))`,
    and: call("and4"),
    or: call("or4"),
    not: call("not"),
    select: (mask, a, b) => `mix(${b}, ${a}, ${mask})`,
    unmask: (mask) => `vec4(${mask})`
  }
}
