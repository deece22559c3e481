"""Keep with the score whether its lead is open, so that lists of open leads read one index.

Who is hot is with sales, as a rule: of a million leads the lists of those who are not yet looked at
twelve thousand for a few hundred. A trigger, because stages are written by many.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION scoring_follow_stage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE scoring_leadscore SET is_open = NEW.stage IN ('LEAD', 'RECYCLED') WHERE lead_id = NEW.id;
    RETURN NULL;
END $$;

-- Whoever moves the lead is waited for: nobody would tell this score afterwards.
CREATE FUNCTION scoring_begin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_over boolean;
BEGIN
    SELECT stage NOT IN ('LEAD', 'RECYCLED') INTO is_over
    FROM leads_lead WHERE id = NEW.lead_id FOR SHARE;
    IF is_over THEN
        UPDATE scoring_leadscore SET is_open = false WHERE lead_id = NEW.lead_id;
    END IF;
    RETURN NULL;
END $$;
"""

TRIGGERS = """
CREATE TRIGGER scoring_stage_changes AFTER UPDATE OF stage ON leads_lead
    FOR EACH ROW WHEN ((OLD.stage IN ('LEAD', 'RECYCLED')) <> (NEW.stage IN ('LEAD', 'RECYCLED')))
    EXECUTE FUNCTION scoring_follow_stage();
CREATE TRIGGER scoring_new_score AFTER INSERT ON scoring_leadscore
    FOR EACH ROW EXECUTE FUNCTION scoring_begin();
"""

#: How often the three hold together: the planner takes them for independent, and expects seven
#: times as many hot leads that are open.
STATISTICS = """
CREATE STATISTICS lead_score_standing (mcv)
ON is_open, engagement_level, meets_definition FROM scoring_leadscore
"""

DROP = """
DROP TRIGGER scoring_new_score ON scoring_leadscore;
DROP TRIGGER scoring_stage_changes ON leads_lead;
DROP FUNCTION scoring_begin();
DROP FUNCTION scoring_follow_stage();
"""


class Migration(migrations.Migration):
    replaces = [
        ("scoring", "0020_predictions_of_the_model_shown"),
    ]

    dependencies = [("scoring", "0001_tables")]

    operations = [
        migrations.RunSQL(FUNCTIONS + TRIGGERS, DROP),
        migrations.RunSQL(STATISTICS, "DROP STATISTICS lead_score_standing"),
    ]
