-- What compareWordings found of a model, null until it was run
ALTER TABLE "base_model" ADD COLUMN "wording" JSONB;
