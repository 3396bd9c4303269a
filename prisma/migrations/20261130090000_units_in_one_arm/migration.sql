-- The arm of a unit is computed from the unit alone: none is in two, and nobody looks it up.
ALTER TABLE "experiment_unit" DROP COLUMN "several", DROP COLUMN "arm";
