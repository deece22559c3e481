"""A version of a form is as people saw it, for good. Visitors have room on their pages."""

from django.db import migrations

GUARD = """
CREATE FUNCTION engagement_formversion_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'engagement_formversion is as people saw it: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER engagement_formversion_guard BEFORE UPDATE OR DELETE ON engagement_formversion
    FOR EACH ROW EXECUTE FUNCTION engagement_formversion_refuse_change();
"""
NO_GUARD = """
DROP TRIGGER engagement_formversion_guard ON engagement_formversion;
DROP FUNCTION engagement_formversion_refuse_change;
"""

#: Whenever a visitor is seen its row is written anew. With room on its page no index is touched.
LEAVE_ROOM = "ALTER TABLE engagement_visitor SET (fillfactor = 90)"
FILL_UP = "ALTER TABLE engagement_visitor RESET (fillfactor)"


class Migration(migrations.Migration):
    replaces = [
        ("engagement", "0006_forms"),
        ("engagement", "0019_room_for_visitors"),
    ]

    dependencies = [("engagement", "0002_log")]

    operations = [
        migrations.RunSQL(GUARD, NO_GUARD),
        migrations.RunSQL(LEAVE_ROOM, FILL_UP),
    ]
