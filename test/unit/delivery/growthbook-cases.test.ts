import { growthbookChecks, type GrowthbookCases } from '../../support/growthbook-cases.js';
import { describeWithReference } from '../../support/reference.js';

describeWithReference<GrowthbookCases>(
  'growthbook-cases.json',
  'assignment agrees with the SDKs that share its scheme',
  (cases) => {
    for (const [group, checks] of Object.entries(growthbookChecks(cases)))
      it.each(checks)(`${group}: $name`, ({ ours, expected }) => {
        expect(ours()).toEqual(expected);
      });
  },
);
