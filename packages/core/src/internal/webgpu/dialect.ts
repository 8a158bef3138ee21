/**
 * The operations of a kernel's body in WGSL, one number at a time.
 *
 * WGSL lets a compiler assume that NaN does not occur; it is recognised by its bits, which no assumption touches.
 */
import { call, type Dialect, infix } from "../gpu/body.ts"

/** Functions that the forms call. */
export const prelude = `
fn isNaN(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn sign1(x: f32) -> f32 { return select(select(x, -1.0, x < 0.0), 1.0, x > 0.0); }
fn maximum(a: f32, b: f32) -> f32 {
  let zeros = a == 0.0 && b == 0.0;
  let larger = select(select(b, a, a > b), a + b, zeros);
  return select(select(larger, b, isNaN(b)), a, isNaN(a));
}
fn minimum(a: f32, b: f32) -> f32 { return -maximum(-a, -b); }
`

/** How WGSL says it. */
export const dialect: Dialect = {
  number: "f32",
  mask: "bool",
  declare: (type, name, value) => `let ${name}: ${type} = ${value};`,
  forms: {
    neg: (x) => `-${x}`,
    abs: call("abs"),
    sqrt: call("sqrt"),
    floor: call("floor"),
    sign: call("sign1"),
    add: infix("+"),
    sub: infix("-"),
    mul: infix("*"),
    div: infix("/"),
    minimum: call("minimum"),
    maximum: call("maximum"),
    less: infix("<"),
    lessEqual: infix("<="),
    greater: infix(">"),
    greaterEqual: infix(">="),
    equal: infix("=="),
    notEqual: (a, b) => `!(${a} == ${b})`,
    and: infix("&&"),
    or: infix("||"),
    not: (mask) => `!${mask}`,
    select: (mask, a, b) => `select(${b}, ${a}, ${mask})`,
    unmask: (mask) => `select(0.0, 1.0, ${mask})`
  }
}
