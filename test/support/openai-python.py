"""
Runs openai-python's own tests against a gateway: its source distribution has them, and nothing of it is kept here.
Reads {version, folder} as JSON and writes where the tests were unpacked, null where the package index lacks them. With
{source, url, tests, model, file, job, rows, response, document, store, batch, requests} it writes what became of each test, and the statuses of what it sent.
"""
import contextlib, glob, hashlib, json, os, re, subprocess, sys, tarfile, time, urllib.request, uuid

given = json.load(sys.stdin)
url = given.get('url', '')
os.environ['TEST_API_BASE_URL'] = url


def source():
    release = f'openai=={given["version"]}'
    pip = [sys.executable, '-m', 'pip', 'download', '--quiet', '--no-binary', 'openai', '--no-deps', '--dest', given['folder'], release]
    if subprocess.run(pip, stdout=sys.stderr, stderr=sys.stderr).returncode:
        return None
    [archive] = glob.glob(os.path.join(given['folder'], 'openai-*.tar.gz'))
    with tarfile.open(archive) as tar:
        tar.extractall(given['folder'], filter='data')
    return archive.removesuffix('.tar.gz')


def asked(method, path, body=None, content_type='application/json'):
    request = urllib.request.Request(url + path, data=body, method=method)
    request.add_header('authorization', 'Bearer none')
    if body is not None:
        request.add_header('content-type', content_type)
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def new_file():
    """Of rows that no job learns from: the file of one stays."""
    rows = given['rows'].replace('rope', f'line {uuid.uuid4()}')
    form = '--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--x\r\n'
    form += f'content-disposition: form-data; name="file"; filename="rows.jsonl"\r\n\r\n{rows}\r\n--x--\r\n'
    return asked('POST', '/files', form.encode(), 'multipart/form-data; boundary=x')['id']


def new_job(paused):
    """One that waits in line: the tests ask for states, not for what is learned."""
    body = {'model': given['model'], 'training_file': given['file'], 'hyperparameters': {'n_epochs': 100}}
    job = asked('POST', '/fine_tuning/jobs', json.dumps(body).encode())['id']
    if paused:
        asked('POST', f'/fine_tuning/jobs/{job}/pause', b'{}')
    return job


def new_store():
    """With the document in it: what is deleted is gone for the tests that follow."""
    store = asked('POST', '/vector_stores', json.dumps({'file_ids': [given['document']]}).encode())['id']
    while asked('GET', f'/vector_stores/{store}')['status'] == 'in_progress':
        time.sleep(0.05)
    return store


def new_response():
    return asked('POST', '/responses', json.dumps(QUESTION).encode())['id']


def new_upload():
    return asked('POST', '/uploads', json.dumps({'purpose': 'assistants', 'filename': 'a.txt', 'bytes': len(PART), 'mime_type': 'text/plain'}).encode())['id']


def new_part(upload):
    form = f'--x\r\ncontent-disposition: form-data; name="data"; filename="part"\r\n\r\n{PART}\r\n--x--\r\n'
    return asked('POST', f'/uploads/{upload}/parts', form.encode(), 'multipart/form-data; boundary=x')['id']


def new_batch():
    body = {'input_file_id': given['requests'], 'endpoint': '/v1/chat/completions', 'completion_window': '24h'}
    return asked('POST', '/batches', json.dumps(body).encode())['id']


PART = 'raw file contents'
QUESTION = {'model': given.get('model'), 'input': 'Say hi.', 'max_output_tokens': 2}
RESPONSE = re.compile(r'^/responses/(?:response_id|resp_677efb5139a88190b512bc3fef8e535d)')
FILE = re.compile(r'^/files/(?:string|file_id)')
JOB = re.compile(r'^/fine_tuning/jobs/(?:string|fine_tuning_job_id|ft-AF1WoRqd3aJAHsqc9NY7iL8F)')


BATCHES = re.compile(r'^/batches/(?:string|batch_id)')
UPLOAD = re.compile(r'^/uploads/(?:string|upload_id|upload_abc123)')
STORE = re.compile(r'^/vector_stores/(?:string|vector_store_id|vs_abc123)')
BATCH = re.compile(r'(?<=/file_batches/)(?:string|batch_id|vsfb_abc123)')
IN_STORE = re.compile(r'(?<=/files/)(?:string|file_id|file-abc123)')


def path_here(method, path):
    if STORE.match(path):
        store = new_store() if method == 'delete' else given['store']
        path = STORE.sub(f'/vector_stores/{store}', path)
        return IN_STORE.sub(given['document'], BATCH.sub(given['batch'], path))
    # These tests have an answer of their own for this address, which never gets here.
    if path == '/files/string/content' and 'retrieve_content' not in os.environ['PYTEST_CURRENT_TEST']:
        return path
    if FILE.match(path):
        return FILE.sub('/files/' + (new_file() if method == 'delete' else given['file']), path)
    if BATCHES.match(path):
        return BATCHES.sub('/batches/' + new_batch(), path)
    if UPLOAD.match(path):
        return UPLOAD.sub('/uploads/' + new_upload(), path)
    if RESPONSE.match(path):
        return RESPONSE.sub('/responses/' + (new_response() if method == 'delete' else given['response']), path)
    if JOB.match(path):
        change = path.rsplit('/', 1)[-1]
        job = new_job(change == 'resume') if change in ('cancel', 'pause', 'resume') else given['job']
        return JOB.sub(f'/fine_tuning/jobs/{job}', path)
    return path


def use_what_is_here(options):
    """Ids of things that exist, where a test names some that don't, and a question where it asks none."""
    options.url = path_here(options.method.lower(), options.url)
    body = options.json_data
    if options.url == '/responses' and isinstance(body, dict) and 'input' not in body:
        options.json_data = body = {**QUESTION, **body}
    if isinstance(body, dict):
        names = ('training_file', 'validation_file')
        here = {name: given['file'] for name in names if name in body}
        here |= {'file_id': given['document']} if 'file_id' in body else {}
        here |= {'file_ids': [given['document']]} if 'file_ids' in body else {}
        if 'part_ids' in body:
            here |= {'part_ids': [new_part(options.url.split('/')[2])]} | ({'md5': hashlib.md5(PART.encode()).hexdigest()} if 'md5' in body else {})
        options.json_data = {**body, **here}
    return options


class Plugin:
    def __init__(self):
        self.outcomes = {}
        self.statuses = []

    def pytest_sessionstart(self):
        import httpx, openai._base_client as base

        build, respond = base.BaseClient._build_request, httpx.Response.__init__

        def build_here(client, options, **others):
            # Where no keys are required, a key that isn't Graft's is refused.
            client.api_key = 'none'
            return build(client, use_what_is_here(options), **others)

        def noted(response, status_code, **others):
            self.statuses.append(status_code)
            respond(response, status_code, **others)

        # A refusal is told once: what the client tries again would only take its time.
        base.FinalRequestOptions.get_max_retries = lambda options, most: 0
        base.BaseClient._build_request, httpx.Response.__init__ = build_here, noted

    def pytest_runtest_setup(self, item):
        self.statuses = []

    def pytest_runtest_logreport(self, report):
        if report.when == 'call' or report.outcome != 'passed':
            crash = getattr(report.longrepr, 'reprcrash', None)
            test = report.nodeid.removeprefix('tests/api_resources/')
            message = crash.message[:600] if crash else ''
            self.outcomes[test] = {'outcome': report.outcome, 'message': message, 'statuses': self.statuses}


def main():
    import pytest

    plugin = Plugin()
    os.chdir(given['source'])
    sys.path.insert(0, given['source'])
    paths = [f'tests/api_resources/{path}' for path in given['tests']]
    # Their own options need packages that only spread and colour them; aiohttp is another transport of the same client.
    options = ['-o', 'addopts=', '-p', 'no:cacheprovider', '--tb=short', '-k', 'not aiohttp']
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main([*options, *paths], plugins=[plugin])
    return plugin.outcomes


json.dump(main() if url else source(), sys.stdout)
