"""Trains LoRA with PyTorch, transformers and peft on the batches that Graft trains on, and prints its speed as JSON.

Usage: training-peer.py FOLDER (f32|bf16) THREADS. FOLDER holds weights.bin, weights.json (sizes and places of the base weights)
and batches.json (a list of batches of {ids, answerFrom}). Logits are computed at the answers only, as Graft does.
"""

import json
import os
import resource
import sys
import time

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
import numpy
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

WARM_UP = 2
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

folder, mode, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(0)
manifest = json.load(open(f"{folder}/weights.json"))
numbers = numpy.memmap(f"{folder}/weights.bin", dtype=numpy.float32, mode="r")
sizes = manifest["config"]


def weight(name, *shape):
    place = manifest["places"][name]
    part = numpy.array(numbers[place["offset"] : place["offset"] + place["length"]])
    return torch.from_numpy(part).reshape(shape)


def base_model():
    hidden, wide = sizes["hidden"], sizes["feedForward"]
    query, key = sizes["heads"] * sizes["headSize"], sizes["keyValueHeads"] * sizes["headSize"]
    config = LlamaConfig(
        vocab_size=sizes["vocabulary"],
        hidden_size=hidden,
        intermediate_size=wide,
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        num_key_value_heads=sizes["keyValueHeads"],
        rms_norm_eps=sizes["normEpsilon"],
        tie_word_embeddings=True,
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": sizes["ropeBase"]},
        attn_implementation="sdpa",
    )
    model = LlamaForCausalLM(config)
    embedding = weight("embedding", -1, hidden)
    state = {
        "model.embed_tokens.weight": embedding,
        "lm_head.weight": embedding,
        "model.norm.weight": weight("output_norm", hidden),
    }
    for layer in range(sizes["layers"]):
        ours, theirs = f"layers.{layer}.", f"model.layers.{layer}."
        q, k, v = torch.split(weight(ours + "query_key_value", -1, hidden), [query, key, key])
        gate, up = torch.split(weight(ours + "gate_up", -1, hidden), [wide, wide])
        state |= {
            theirs + "self_attn.q_proj.weight": q,
            theirs + "self_attn.k_proj.weight": k,
            theirs + "self_attn.v_proj.weight": v,
            theirs + "self_attn.o_proj.weight": weight(ours + "attention_output", hidden, query),
            theirs + "mlp.gate_proj.weight": gate,
            theirs + "mlp.up_proj.weight": up,
            theirs + "mlp.down_proj.weight": weight(ours + "down", hidden, wide),
            theirs + "input_layernorm.weight": weight(ours + "attention_norm", hidden),
            theirs + "post_attention_layernorm.weight": weight(ours + "feed_forward_norm", hidden),
        }
    missing = model.load_state_dict(state, strict=False)
    assert not missing.missing_keys and not missing.unexpected_keys, missing
    return model


recipe = manifest["recipe"]
lora = LoraConfig(
    r=recipe["rank"], lora_alpha=recipe["alpha"], lora_dropout=0, target_modules=TARGETS, task_type="CAUSAL_LM"
)
model = get_peft_model(base_model(), lora).train()
inner = model.get_base_model()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0)
tokens, seconds, losses = 0, 0.0, []
for step, batch in enumerate(json.load(open(f"{folder}/batches.json"))):
    width = max(len(example["ids"]) - 1 for example in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    labels = torch.full((len(batch), width), -100)
    real = torch.zeros(len(batch), width, dtype=torch.long)
    for row, example in enumerate(batch):
        given, start = example["ids"][:-1], example["answerFrom"]
        ids[row, : len(given)] = torch.tensor(given)
        real[row, : len(given)] = 1
        labels[row, start - 1 : len(given)] = torch.tensor(example["ids"][start:])
    began = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=mode == "bf16"):
        states = inner.model(input_ids=ids, attention_mask=real, use_cache=False).last_hidden_state
        answers = labels >= 0
        loss = torch.nn.functional.cross_entropy(inner.lm_head(states[answers]).float(), labels[answers])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    losses.append(loss.item())
    if step >= WARM_UP:
        seconds += time.perf_counter() - began
        tokens += int(real.sum())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"tokensPerSecond": tokens / seconds, "peakBytes": peak, "firstLoss": losses[0]}))
