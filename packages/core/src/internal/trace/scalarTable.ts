/**
 * The scalars of a program, each once: equal when they are the same number, the same input, or the same function of equal
 * scalars.
 */
import type { ScalarNode } from "../../Program.ts"
import type { Compute } from "../../Scalar.ts"

const numberKey = (value: number): string => (Object.is(value, -0) ? "-0" : String(value))

/** A list of scalars under construction. */
export class ScalarTable {
  readonly items: Array<ScalarNode> = []
  readonly #ids = new Map<string, number>()
  readonly #computes = new Map<Compute, number>()

  #computeKey(compute: Compute): number {
    const known = this.#computes.get(compute) ?? this.#computes.size
    this.#computes.set(compute, known)
    return known
  }

  #keyOf(scalar: ScalarNode): string {
    switch (scalar._tag) {
      case "Constant":
        return `c${numberKey(scalar.value)}`
      case "Input":
        return `i${scalar.index}`
      case "Apply":
        return `a${this.#computeKey(scalar.compute)}(${scalar.args.join()})`
    }
  }

  /** The place of a scalar whose arguments are in the list. */
  add(scalar: ScalarNode): number {
    const key = this.#keyOf(scalar)
    const id = this.#ids.get(key) ?? this.items.push(scalar) - 1
    this.#ids.set(key, id)
    return id
  }

  /** The places of another list's scalars. */
  addAll(scalars: ReadonlyArray<ScalarNode>): ReadonlyArray<number> {
    const ids: Array<number> = []
    for (const scalar of scalars) {
      const moved = scalar._tag === "Apply" ? { ...scalar, args: scalar.args.map((arg) => ids[arg] ?? -1) } : scalar
      ids.push(this.add(moved))
    }
    return ids
  }
}
