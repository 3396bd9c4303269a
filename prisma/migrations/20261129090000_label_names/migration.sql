-- Names of documents are kept in one Unicode form (NFC) and without space around, names of labels were kept as they came: a label of
-- another form, or with a space around, hid nothing. Of labels that come to one name the one set last holds, as if it had been set so.
CREATE FUNCTION document_name(given text) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN btrim(normalize(given, NFC), E'\t\n\x0b\x0c\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff');
DELETE FROM "document_label" l USING "document_label" later
 WHERE later.collection_id = l.collection_id AND document_name(later.name) = document_name(l.name)
   AND (later.changed_at, later.name) > (l.changed_at, l.name);
UPDATE "document_label" l SET name = document_name(l.name), source = c.name || '/' || document_name(l.name) FROM "collection" c
 WHERE c.id = l.collection_id AND document_name(l.name) <> l.name;
DROP FUNCTION document_name(text);
