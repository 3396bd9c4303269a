-- How the model reads a conversation, found out in a process of its own. Models registered before that was done have NULL.
ALTER TABLE "model_variant" ADD COLUMN     "chat" JSONB;
