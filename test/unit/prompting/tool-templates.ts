/** Templates in the manners of public models that can call functions, each with a habit of its own. */
export const TOOL_TEMPLATES = {
  /** Functions in the system message, calls between tags, results in a user message that neighbours share. */
  tagged:
    "{% if tools %}{{ '<|im_start|>system\\n' }}{% if messages[0].role == 'system' %}{{ messages[0].content + '\\n\\n' }}{% else %}{{ 'You are helpful.\\n\\n' }}{% endif %}{{ 'You may call these:\\n<tools>' }}" +
    '{% for tool in tools %}{{ \'\\n\' }}{{ tool | tojson }}{% endfor %}{{ \'\\n</tools>\\nA call is <tool_call>{"name": …, "arguments": …}</tool_call>.<|im_end|>\\n\' }}' +
    "{% elif messages[0].role == 'system' %}{{ '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}{% endif %}" +
    "{% for m in messages %}{% if m.role == 'user' or (m.role == 'assistant' and not m.tool_calls) %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}" +
    "{% elif m.role == 'assistant' %}{{ '<|im_start|>assistant' }}{% if m.content %}{{ '\\n' + m.content }}{% endif %}{% for call in m.tool_calls %}{% set call = call.function %}" +
    "{{ '\\n<tool_call>\\n{\"name\": \"' + call.name + '\", \"arguments\": ' }}{{ call.arguments | tojson }}{{ '}\\n</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}" +
    "{% elif m.role == 'tool' %}{% if loop.index0 == 0 or messages[loop.index0 - 1].role != 'tool' %}{{ '<|im_start|>user' }}{% endif %}{{ '\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}" +
    "{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}{{ '<|im_end|>\\n' }}{% endif %}{% endif %}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  /** Functions with indentation in the first question, one bare call at a time. */
  bare:
    "{{ bos_token }}{% if messages[0].role == 'system' %}{% set system = messages[0].content | trim %}{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}" +
    "{{ '<|head|>system<|/head|>\\n\\nToday: ' + strftime_now('%d %b %Y') + '\\n\\n' + system + '<|eot|>' }}" +
    "{% if tools %}{% set first = messages[0].content | trim %}{% set messages = messages[1:] %}{{ '<|head|>user<|/head|>\\n\\nAnswer with a call of one of these.\\n\\n' }}" +
    "{% for t in tools %}{{ t | tojson(indent=4) }}{{ '\\n\\n' }}{% endfor %}{{ first + '<|eot|>' }}{% endif %}" +
    "{% for m in messages %}{% if 'tool_calls' in m %}{% if m.tool_calls | length != 1 %}{{ raise_exception('One call at a time') }}{% endif %}{% set call = m.tool_calls[0].function %}" +
    '{{ \'<|head|>assistant<|/head|>\\n\\n{"name": "\' + call.name + \'", "parameters": \' }}{{ call.arguments | tojson }}{{ \'}<|eot|>\' }}' +
    "{% elif m.role == 'tool' %}{{ '<|head|>ipython<|/head|>\\n\\n' + m.content + '<|eot|>' }}" +
    "{% else %}{{ '<|head|>' + m.role + '<|/head|>\\n\\n' + m.content | trim + '<|eot|>' }}{% endif %}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|head|>assistant<|/head|>\\n\\n' }}{% endif %}",
} as const;

/** Templates that show functions in ways that aren't read. */
export const OTHER_TOOL_TEMPLATES = {
  'writes them as Python would': TOOL_TEMPLATES.tagged.replace('{{ tool | tojson }}', '{{ tool.function.name }}(…)'),
  'writes the ids of calls': TOOL_TEMPLATES.tagged.replace(
    "{{ '}\\n</tool_call>' }}",
    '{{ \', "id": "\' + m.tool_calls[0].id + \'"}\\n</tool_call>\' }}',
  ),
  'shows them before the last question alone': TOOL_TEMPLATES.tagged.replace(
    '{% if tools %}',
    "{% if tools and messages[-1].role == 'user' %}",
  ),
  'looks into results': TOOL_TEMPLATES.tagged.replace(
    "{{ '\\n<tool_response>\\n' + m.content",
    "{{ '\\n<tool_response>\\n' + m.content | replace('tool_call', 'call')",
  ),
} as const;
