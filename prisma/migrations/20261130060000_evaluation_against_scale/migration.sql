-- What an adapter was compared with is another at another scale. Empty for the base model, and in rows from before, where it counts as 1.
ALTER TABLE "evaluation" ADD COLUMN "against_scale" DOUBLE PRECISION;
