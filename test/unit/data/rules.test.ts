import { RULES } from '../../../src/sources/data/datasets/validation/rules/index.js';
import './rules/copies.js';
import './rules/entities.js';
import './rules/labels.js';
import './rules/languages.js';
import './rules/records.js';
import './rules/versions.js';
import { tested } from './rules/kit.js';

it('every rule has a test that plants its fault', () => {
  expect([...RULES.keys()].filter((id) => !tested.has(id))).toEqual([]);
});
