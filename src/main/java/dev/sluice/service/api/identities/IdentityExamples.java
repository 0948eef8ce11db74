package dev.sluice.service.api.identities;

import java.util.Map;

import org.eclipse.microprofile.openapi.OASFactory;
import org.eclipse.microprofile.openapi.models.media.Schema;
import org.eclipse.microprofile.openapi.models.media.Schema.SchemaType;

import dev.sluice.directory.IdentityKind;

/** Examples and fields of identities for {@code /q/openapi}. */
final class IdentityExamples {

    static final String KEY_REQUEST = "{\"name\":\"CI of search\",\"user\":\"alice\",\"team\":\"search\",\"tier\":\"pro\","
            + "\"limits\":{\"llm\":{\"budget\":\"5/day\"}}}";
    static final String AUDIT = "{\"entries\":[{\"id\":\"1764500000000-0\",\"timestamp\":\"2026-11-30T10:00:00Z\","
            + "\"token\":\"admin-token\",\"action\":\"team.update\",\"subject\":\"team:search\","
            + "\"changed\":[\"/limits/llm/budget\"]}],\"next_cursor\":null}";
    static final String LINE = "{\"kind\":\"team\",\"name\":\"search\",\"document\":{\"org\":\"acme\"}}";

    private static final String TIMES = "\"created_at\":\"2026-11-30T10:00:00Z\",\"updated_at\":\"2026-11-30T10:00:00Z\"}";
    private static final String KEY = "\"name\":\"CI of search\",\"user\":\"alice\",\"team\":\"search\",\"org\":\"acme\","
            + "\"tier\":\"pro\",\"limits\":{\"llm\":{\"budget\":\"5/day\"}},\"disabled\":false,"
            + "\"prefix\":\"sk-sluice-AbCd\"," + TIMES;
    private static final String ID = "{\"id\":\"0g7v1x2k3mabcdefgh0\",";
    static final String NEW_KEY = ID + "\"key\":\"sk-sluice-AbCd…\"," + KEY;
    private static final Map<IdentityKind, String> REQUESTS = Map.of(
            IdentityKind.USER, "{\"tier\":\"pro\",\"teams\":[\"search\"]}",
            IdentityKind.TEAM, "{\"org\":\"acme\",\"limits\":{\"llm\":{\"budget\":\"500/day\"}},"
                    + "\"member_limits\":{\"llm\":{\"budget\":\"20/day\"}},\"models\":[\"gpt-4o*\"]}",
            IdentityKind.ORG, "{\"limits\":{\"llm\":{\"budget\":\"2000/day\"}}}");
    private static final Map<String, String> DESCRIPTIONS = Map.ofEntries(
            Map.entry("name", "Name of the key, for people"), Map.entry("user", "User as whom the key acts"),
            Map.entry("team", "Team of the key"), Map.entry("tier", "Tier whose rules hold; a user's wins over the key's"),
            Map.entry("expires_at", "Time from which the key is invalid (RFC 3339)"),
            Map.entry("models", "Models that are allowed; * at the end stands for any continuation"),
            Map.entry("limits", "Limits in addition to those of the tier: api, llm, endpoints, models"),
            Map.entry("member_limits", "Limits of each single member, as limits"),
            Map.entry("metadata", "Any object of at most 4 KB"),
            Map.entry("disabled", "Whether the key, or every key of the user, is invalid"),
            Map.entry("alerts", "url and thresholds (percent) of alerts"), Map.entry("teams", "Teams of the user"),
            Map.entry("org", "Organisation of the team"));

    private IdentityExamples() {
    }

    /** Returns an identity as responses show it. */
    static String of(IdentityKind kind) {
        return switch (kind) {
            case KEY -> ID + KEY;
            case USER -> "{\"name\":\"alice\"," + REQUESTS.get(kind).substring(1, REQUESTS.get(kind).length() - 1) + ','
                    + TIMES;
            default -> "{\"name\":\"" + (kind == IdentityKind.TEAM ? "search" : "acme") + "\","
                    + REQUESTS.get(kind).substring(1, REQUESTS.get(kind).length() - 1) + ',' + TIMES;
        };
    }

    /** Returns the body of a request to create an identity that has a name. */
    static String request(IdentityKind kind) {
        return REQUESTS.get(kind);
    }

    /** Describes a field. */
    static Schema field(String name) {
        var schema = OASFactory.createSchema().description(DESCRIPTIONS.get(name));
        return switch (name) {
            case "disabled" -> schema.addType(SchemaType.BOOLEAN);
            case "models", "teams" ->
                schema.addType(SchemaType.ARRAY).items(OASFactory.createSchema().addType(SchemaType.STRING));
            case "limits", "member_limits", "metadata", "alerts" -> schema.addType(SchemaType.OBJECT);
            default -> schema.addType(SchemaType.STRING);
        };
    }
}
