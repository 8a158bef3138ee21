/**
 * Plain code that throws our errors, as an effect that fails with them.
 *
 * What is not one of ours, or not one of those expected here, is a defect and stays one.
 */
import * as Effect from "effect/Effect"
import type { OptimError } from "../OptimError.ts"

const all: { readonly [Tag in OptimError["_tag"]]: true } = {
  CyclicTree: true,
  StructureMismatch: true,
  InvalidHyperParameter: true,
  InvalidStep: true,
  MissingArgument: true,
  InvalidLeaf: true,
  InvalidMask: true,
  TensorMismatch: true,
  DisposedTensor: true,
  DonatedStateUsed: true,
  InvalidExpression: true,
  BackendLost: true,
  OutOfMemory: true,
  NonFinite: true
}

const isOneOf = <E extends OptimError>(error: unknown, tags: { readonly [Tag in E["_tag"]]: true }): error is E =>
  error instanceof Error && "_tag" in error && typeof error._tag === "string" && error._tag in tags

/** What was thrown, as a failure if it is one of our errors. */
export const raised = (error: unknown): Effect.Effect<never, OptimError> =>
  isOneOf<OptimError>(error, all) ? Effect.fail(error) : Effect.die(error)

/** Runs plain code; an error of these tags that it throws, by default any `OptimError`, is the effect's failure. */
export const attempt: {
  <A>(evaluate: () => A): Effect.Effect<A, OptimError>
  <A, E extends OptimError>(evaluate: () => A, tags: { readonly [Tag in E["_tag"]]: true }): Effect.Effect<A, E>
} = <A>(evaluate: () => A, tags: { readonly [tag: string]: true } = all): Effect.Effect<A, OptimError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(evaluate())
    } catch (error) {
      return isOneOf<OptimError>(error, tags as typeof all) ? Effect.fail(error) : Effect.die(error)
    }
  })
