/** Taking trees apart, with the errors that say so when it cannot be done. */
import { CyclicTree, InvalidNode } from "../../TreeError.ts"
import { Def } from "../structure/def.ts"
import { type IsLeaf, type Problem, traverse } from "./traverse.ts"

const refusal =
  (operation: string) =>
  (problem: Problem): never => {
    const { path } = problem
    if (problem._tag === "Cycle") throw new CyclicTree({ operation, path })
    const expected = `${problem.children} keys, one for each child`
    throw new InvalidNode({ operation, node: problem.node, path, expected, found: `${problem.keys} keys` })
  }

/** The leaves and the structure of a tree. */
export const take = (
  tree: unknown,
  operation: string,
  isLeaf?: IsLeaf
): { readonly leaves: Array<unknown>; readonly def: Def } => {
  const { leaves, records } = traverse(tree, { refuse: refusal(operation), isLeaf })
  return { leaves, def: new Def(records, leaves.length) }
}
