# A GGUF file, of any quantisation, as the folder that Hugging Face's libraries load, in plain 32-bit floats: the weights that an engine serves are then
# those of the file, number for number. Usage: weights.py MODEL.gguf FOLDER
import json
import os
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

source, folder = sys.argv[1:3]
place, name = os.path.split(source)
os.makedirs(folder, exist_ok=True)
model = AutoModelForCausalLM.from_pretrained(place, gguf_file=name, dtype=torch.float32)
tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
state = {key: value.contiguous() for key, value in model.state_dict().items() if key not in tied}
save_file(state, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
config = model.config.to_dict()
for key in ("quantization_config", "_name_or_path"):
    config.pop(key, None)
config |= {"dtype": "float32", "architectures": [type(model).__name__]}
with open(os.path.join(folder, "config.json"), "w") as file:
    json.dump(config, file, indent=2, default=str)
model.generation_config.to_json_file(os.path.join(folder, "generation_config.json"))
AutoTokenizer.from_pretrained(place, gguf_file=name).save_pretrained(folder)
