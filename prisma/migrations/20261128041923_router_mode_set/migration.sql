-- When somebody said what a version of the router does: a fit that was asked for before then keeps to it.
ALTER TABLE "router_version" ADD COLUMN "mode_set_at" TIMESTAMPTZ(6);
