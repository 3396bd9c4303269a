-- How the model reads a conversation, found out in a process of its own; NULL for a model registered before that was done.
ALTER TABLE "model_variant" ADD COLUMN     "chat" JSONB;
