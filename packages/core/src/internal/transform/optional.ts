/** Transforms that depend on options, with one type of state for all cases. */
import type { Transform } from "./transform.ts"

/** The transform, or one that does nothing and remembers nothing. */
export const optional = <S, Needs extends string>(
  transform: Transform<S, Needs> | undefined
): Transform<S | null, Needs> => ({
  name: transform?.name ?? "identity",
  hyperParameters: transform?.hyperParameters ?? {},
  needs: transform?.needs ?? {},
  init: (params) => (transform === undefined ? null : transform.init(params)),
  update: (updates, state, context) =>
    transform === undefined
      ? { updates, state: null }
      : // Its own `init` made the state, which is null where there is nothing to remember.
        transform.update(updates, state as S, context)
})

/** The transform under a wider type of state, where there is a choice between transforms of one place. */
export const widened = <S, T extends S, Needs extends string>(transform: Transform<T, Needs>): Transform<S, Needs> => ({
  ...transform,
  init: (params) => transform.init(params),
  // Whoever runs it compares the state with the one that `init` made.
  update: (updates, state, context) => transform.update(updates, state as T, context)
})
