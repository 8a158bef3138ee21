/**
 * The scalars of a program, evaluated in every step: what depends on no input of the host is computed once.
 */
import type { Program, ScalarNode } from "../../Program.ts"

/** Gives the numbers of all scalars; they are good until it is called again. */
export type Evaluator = (host: ReadonlyArray<number>) => Float64Array

const valueOf = (scalar: ScalarNode, host: ReadonlyArray<number>, values: Float64Array): number => {
  if (scalar._tag === "Constant") return scalar.value
  if (scalar._tag === "Input") return host[scalar.index] ?? Number.NaN
  const { args, compute } = scalar
  const at = (id: number | undefined): number => values[id ?? -1] ?? Number.NaN
  // Most are functions of one or two numbers, for which no array of arguments is made.
  if (args.length === 2) return compute(at(args[0]), at(args[1]))
  return args.length === 1 ? compute(at(args[0])) : compute(...args.map(at))
}

/** The scalars that depend on inputs of the host, in their order. */
const varying = ({ scalars }: Program): ReadonlyArray<number> => {
  const found = new Set<number>()
  scalars.forEach((scalar, id) => {
    const varies = scalar._tag === "Input" || (scalar._tag === "Apply" && scalar.args.some((arg) => found.has(arg)))
    if (varies) found.add(id)
  })
  return [...found]
}

const make = (program: Program): Evaluator => {
  const { scalars } = program
  const values = new Float64Array(scalars.length)
  const ids = varying(program)
  const changing = new Set(ids)
  scalars.forEach((scalar, id) => {
    if (!changing.has(id)) values[id] = valueOf(scalar, [], values)
  })
  return (host) => {
    for (const id of ids) {
      const scalar = scalars[id]
      if (scalar !== undefined) values[id] = valueOf(scalar, host, values)
    }
    return values
  }
}

const evaluators = new WeakMap<Program, Evaluator>()

/** The evaluator of a program. */
export const evaluatorOf = (program: Program): Evaluator => {
  const known = evaluators.get(program)
  if (known !== undefined) return known
  const made = make(program)
  evaluators.set(program, made)
  return made
}
