import { OnnxModelBuilder } from './model-builder.js';

/** The smallest ONNX model there is: `y = Identity(x)`, both float32 of shape [1]. Running it shows that a provider works. */
export function identityModel(): Uint8Array {
  const model = new OnnxModelBuilder();
  model.output('y', model.input('x', 'float32', [1]), 'float32', [1]);
  return model.encode();
}
