-- The span in which a run was asked for, as a W3C traceparent: the trace of the run leads there.
ALTER TABLE "run" ADD COLUMN "begun_within" TEXT;
