import fc from 'fast-check';
import { checkedName } from '../../../src/kernel/text.js';
import { modelNameOf } from '../../../src/sources/registry/model.js';

describe('the name of a model', () => {
  it.each([
    ['SmolLM2-135M-Instruct.Q4_1.gguf', 'smollm2-135m-instruct'],
    ['qwen2.5-1.5b-instruct-q4_k_m.gguf', 'qwen2.5-1.5b-instruct'],
    ['sub/dir/Model-F16.gguf', 'model'],
    ['Mistral-7B-Instruct-v0.3-IQ2_XS.gguf', 'mistral-7b-instruct-v0.3'],
    ['my model (final).GGUF', 'my-model-final-'],
    ['.gguf', 'model'],
    ['日本語.gguf', 'model'],
  ])('of a file %s is %s', (file, name) => expect(modelNameOf(file)).toBe(name));

  it('is a valid name whatever the file is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (file) =>
        expect(checkedName(modelNameOf(file), 'name')).toBe(modelNameOf(file)),
      ),
    );
  });
});
