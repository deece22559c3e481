"""Mark leads of whom somebody else may be the same person, so that a list of them has an index.

Names are noted by triggers, because leads are written by many: services, imports, merges, the
admin. Who stands twice already is noted at once.
"""

from django.db import migrations, models

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

ALREADY = """
INSERT INTO leads_duplicatecheck (last_name, first_name)
SELECT last_name, first_name FROM leads_lead
WHERE merged_into_id IS NULL AND last_name <> '' AND first_name <> ''
GROUP BY last_name, first_name HAVING count(*) > 1;
"""

DROP = """
DROP TRIGGER leads_names_vanish ON leads_lead;
DROP TRIGGER leads_names_change ON leads_lead;
DROP TRIGGER leads_new_names ON leads_lead;
DROP FUNCTION leads_note_names();
DROP FUNCTION leads_note_new_names();
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0021_index_of_woken_leads")]

    operations = [
        migrations.CreateModel(
            name="DuplicateCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_name", models.CharField(max_length=100)),
                ("first_name", models.CharField(max_length=100)),
            ],
        ),
        migrations.AddField(
            model_name="lead",
            name="has_duplicate",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", True), ("has_duplicate", True)),
                fields=["last_name", "first_name", "id"],
                name="lead_duplicates",
            ),
        ),
        migrations.RunSQL(FUNCTIONS + TRIGGERS + ALREADY, DROP),
    ]
