-- What was found before says nothing of what the model was shown. compareWordings finds it anew.
UPDATE base_model SET wording = NULL WHERE wording IS NOT NULL;
UPDATE run SET output = NULL, checkpoint = NULL WHERE kind = 'WORDING_COMPARISON';
