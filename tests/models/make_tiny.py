"""Make the tiny chat model that real model servers run in the tests: tiny/ for transformers, tiny.gguf for llama.cpp.

It is a real qwen2 with seeded random weights, but for its last layer: each token of REPLY there points to the next one.
So whatever is asked, the answer is REPLY, to the end, on every server and at every usual temperature.
Run by hand, with torch 2.13.0, transformers 5.23.0 and gguf 0.19.0; both results are in the repository.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import gguf
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

HERE = Path(__file__).resolve().parent
FOLDER, FILE = HERE / "tiny", HERE / "tiny.gguf"

# No token may come twice, as the next one is known by the last one alone: hence the space after "python".
REPLY = "你好 😀, Python adds for you:\n\n```python \ndef total(*prices):\n    return sum(prices)\n```\nDone."
PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
FIM = ["<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"]
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# 😀 is not in what the tokenizer learns from: it leaves the model as four tokens, and servers must put it together.
LEARNT = [
    REPLY.replace("😀", ""),
    "system user assistant\nYou are a helpful assistant. You answer questions about code. The answer is one block.\n",
    "import os\n\n\nclass Basket:\n    def __init__(self, items):\n        self.items = items\n",
    "for item in items:\n    if item is not None:\n        print(item)\n    else:\n        return False\n",
]
# Qwen2's own way to cut text into words; llama.cpp knows it as "qwen2".
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CONTEXT = 262144
WIDTH = 64


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer that has ChatML's and Qwen's fill-in-the-middle tokens."""
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), behavior="isolated"), byte_level])
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=640,
        special_tokens=[PAD, START, END, *FIM],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(LEARNT * 50, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END,
        pad_token=PAD,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_model(tokenizer: PreTrainedTokenizerFast) -> Qwen2ForCausalLM:
    """Return a model that says REPLY after a chat prompt, after a fill-in-the-middle prompt and after itself."""
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = Qwen2ForCausalLM(config).eval()
    said = tokenizer.encode(REPLY)
    assert len(set(said)) == len(said), "a token of the reply comes twice"
    newline, (end, middle) = tokenizer.encode("\n"), tokenizer.convert_tokens_to_ids([END, FIM[1]])
    assert len(newline) == 1 and newline[0] not in said, "a prompt's last token must not be in the reply"

    with torch.no_grad():
        embeddings, out = model.get_input_embeddings().weight, model.lm_head.weight
        embeddings.normal_()
        out.zero_()
        for last, following in zip([*said, *newline, middle], [*said[1:], end, said[0], said[0]], strict=True):
            out[following] += embeddings[last]
        # A server that was told to ignore the end begins again.
        out[said[0]] += embeddings[said[-1]] / 2
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    return model


def write_gguf(path: Path, tokenizer: PreTrainedTokenizerFast, model: Qwen2ForCausalLM) -> None:
    """Write the model as llama.cpp wants it; 32-bit floats, which qwen2 needs no reordering for."""
    config = model.config
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)

    special = set(tokenizer.all_special_tokens) | {START, *FIM}
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens])
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    for name, token in zip(("fim_pre", "fim_mid", "fim_suf", "fim_pad"), FIM, strict=True):
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", tokenizer.convert_tokens_to_ids(token))
    writer.add_chat_template(TEMPLATE)

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """Make both, and show what the model says."""
    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    shutil.rmtree(FOLDER, ignore_errors=True)
    model.save_pretrained(FOLDER)
    tokenizer.save_pretrained(FOLDER)
    write_gguf(FILE, tokenizer, model)

    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi!"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    answer = model.generate(**asked, max_new_tokens=100)[0, asked["input_ids"].shape[1] :]
    assert tokenizer.decode(answer) == REPLY + END
    print(f"{len(answer)} tokens: {tokenizer.convert_ids_to_tokens(answer)}")


if __name__ == "__main__":
    main()
