"""Note names that changed, so that possible duplicates among them are marked in the background.

Triggers, because leads are written by many: services, imports, merges, the admin.
"""

from django.db import migrations

FACTS = "last_name, first_name, company_name, phone, merged_into_id"


def _row(name: str) -> str:
    return ", ".join(f"{name}.{each}" for each in FACTS.split(", "))


FUNCTIONS = """
CREATE FUNCTION leads_note_new_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO leads_duplicatecheck (last_name, first_name)
    SELECT DISTINCT last_name, first_name FROM added WHERE last_name <> '' AND first_name <> '';
    RETURN NULL;
END $$;

CREATE FUNCTION leads_note_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO leads_duplicatecheck (last_name, first_name)
    SELECT DISTINCT last_name, first_name
    FROM (VALUES (OLD.last_name, OLD.first_name), (NEW.last_name, NEW.first_name))
        AS told (last_name, first_name)
    WHERE last_name <> '' AND first_name <> '';
    RETURN NULL;
END $$;
"""

TRIGGERS = f"""
CREATE TRIGGER leads_new_names AFTER INSERT ON leads_lead
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION leads_note_new_names();
CREATE TRIGGER leads_names_change AFTER UPDATE OF {FACTS} ON leads_lead
    FOR EACH ROW WHEN (({_row("OLD")}) IS DISTINCT FROM ({_row("NEW")}))
    EXECUTE FUNCTION leads_note_names();
CREATE TRIGGER leads_names_vanish AFTER DELETE ON leads_lead
    FOR EACH ROW EXECUTE FUNCTION leads_note_names();
"""

DROP = """
DROP TRIGGER leads_names_vanish ON leads_lead;
DROP TRIGGER leads_names_change ON leads_lead;
DROP TRIGGER leads_new_names ON leads_lead;
DROP FUNCTION leads_note_names();
DROP FUNCTION leads_note_new_names();
"""


class Migration(migrations.Migration):
    replaces = [
        ("leads", "0022_possible_duplicates"),
    ]

    dependencies = [("leads", "0002_stage_history")]

    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP)]
