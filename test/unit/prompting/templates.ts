/** Templates in the manners of public models, each with a habit of its own. */
const alternating =
  "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must alternate') }}{% endif %}";

export const TEMPLATES = {
  /** A system message of its own where none is given. */
  chatml:
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}{% endif %}" +
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
  /** Refuses a system message. */
  gemma:
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" +
    alternating +
    "{{ '<start_of_turn>' + (m['role'] if m['role'] == 'user' else 'model') + '\n' + m['content'] | trim + '<end_of_turn>\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
  /** Trims contents. */
  llama3:
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}" +
    '{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}' +
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
  /** Writes the system message into the last user message. */
  systemLast:
    "{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}{% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif %}{{ bos_token }}" +
    "{% for m in turns %}{% if m['role'] == 'user' %}{% if loop.last and system is defined %}{{ '[INST] ' + system + '\n\n' + m['content'] + '[/INST]' }}{% else %}{{ '[INST] ' + m['content'] + '[/INST]' }}{% endif %}" +
    "{% else %}{{ ' ' + m['content'] + eos_token }}{% endif %}{% endfor %}",
  /** Adds an empty thought to answers behind the last question, and takes thoughts out of answers. */
  thinking:
    '{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == "user" %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}' +
    "{% for m in messages %}{% set content = m.content %}{% if m.role == 'assistant' and '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}" +
    "{{ '<|im_start|>' + m.role + '\n' }}{% if m.role == 'assistant' and loop.index0 > ns.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{{ content + '<|im_end|>\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}",
  /** Numbers its turns, so that no piece stands for another. */
  counting: '{% for m in messages %}{{ "<" ~ m.role ~ loop.index ~ ">" ~ m.content }}{% endfor %}<assistant>',
  /** Tells the day. */
  dated:
    "{% for m in messages %}{% if loop.first %}{{ 'Today: ' + strftime_now('%d %b %Y') + ', ' + strftime_now('%B %m %H:%M %% %x') + '\n' }}{% endif %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}",
} as const;
