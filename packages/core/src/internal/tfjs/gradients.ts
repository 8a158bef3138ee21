/**
 * The derivatives of tfjs' ops, for bundlers.
 *
 * tfjs-core keeps them in a module of its own, which its main entry does not load.
 */
import "@tensorflow/tfjs-core/dist/register_all_gradients.js"
