"""Peers of bench/validation.ts and bench/router.ts: reads JSON from standard input, writes JSON to standard output.

python peers.py labels         {"texts": [...], "labels": [...]} -> indexes of rows that cleanlab doubts
python peers.py routes         {"known": [{"text", "route"}, ...], "texts": [...]} -> the route of each text
python peers.py personal-data  {"texts": [...]} -> per text the [start, end] of what scrubadub and detect-secrets find
"""

import json
import sys


def doubtful_labels(texts, labels):
    """Confident learning as cleanlab's guide sets it up: out-of-sample probabilities, then the default of `find_label_issues`."""
    import numpy
    from cleanlab.filter import find_label_issues
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline

    _, numbers = numpy.unique(labels, return_inverse=True)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    probabilities = cross_val_predict(model, texts, numbers, cv=5, method="predict_proba")
    return numpy.flatnonzero(find_label_issues(numbers, probabilities)).tolist()


def personal_data(texts):
    """scrubadub's detectors of what is planted; detect-secrets without its entropy plugins, which are meant for code."""
    import scrubadub
    from scrubadub.detectors import CredentialDetector, CreditCardDetector, EmailDetector, PhoneDetector
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings, get_settings

    detectors = [EmailDetector(), PhoneDetector(), CreditCardDetector(), CredentialDetector()]
    scrubber = scrubadub.Scrubber(detector_list=detectors)
    found = [[[filth.beg, filth.end] for filth in scrubber.iter_filth(text)] for text in texts]
    with default_settings():
        get_settings().disable_plugins("Base64HighEntropyString", "HexHighEntropyString")
        for text, spans in zip(texts, found):
            for secret in scan_line(text):
                start = text.find(secret.secret_value)
                spans.append([start, start + len(secret.secret_value)])
    return found


def routes(known, texts):
    """What one would build first: TF-IDF and a regression, with the defaults of scikit-learn."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    model.fit([each["text"] for each in known], [each["route"] for each in known])
    return model.predict(texts).tolist()


peers = {"routes": routes, "labels": doubtful_labels, "personal-data": personal_data}
json.dump(peers[sys.argv[1]](**json.load(sys.stdin)), sys.stdout)
