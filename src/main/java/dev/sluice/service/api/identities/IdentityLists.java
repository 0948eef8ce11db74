package dev.sluice.service.api.identities;

import java.util.List;
import java.util.Map;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.api.Identifiers;
import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityNames;
import dev.sluice.directory.IdentityPage;
import dev.sluice.directory.IdentityQuery;
import dev.sluice.directory.IdentityStore;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.QueryParameters;
import dev.sluice.service.token.AdminAccess;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/** Lists identities page by page. */
@ApplicationScoped
class IdentityLists {

    private static final String LIMIT = "limit";
    private static final String CURSOR = "cursor";
    private static final String PREFIX = "prefix";
    private static final String DISABLED = "disabled";
    private static final String USED = "used";
    private static final int DEFAULT_LIMIT = 100;
    private static final int MAX_LIMIT = 1000;
    /** Maximum number of entries with what each has used, which is read from its windows. */
    private static final int MAX_LIMIT_WITH_USED = 100;
    /** Query parameters of each list. */
    static final Map<IdentityKind, List<String>> PARAMETERS = Map.of(
            IdentityKind.KEY, List.of("user", "team", "org", DISABLED, USED, LIMIT, CURSOR),
            IdentityKind.USER, List.of("team", PREFIX, USED, LIMIT, CURSOR),
            IdentityKind.TEAM, List.of("org", PREFIX, USED, LIMIT, CURSOR),
            IdentityKind.ORG, List.of(PREFIX, USED, LIMIT, CURSOR));

    private final IdentityStore store;
    private final IdentityViews views;
    private final IdentityUsage usage;

    IdentityLists(IdentityStore store, IdentityViews views, IdentityUsage usage) {
        this.store = store;
        this.views = views;
        this.usage = usage;
    }

    /** Returns the page that a request asks for: {@code {"keys":[…],"next_cursor":…}}. */
    Uni<JsonObject> list(RoutingContext request, AdminAccess access, IdentityKind kind) {
        QueryParameters.allow(request, PARAMETERS.get(kind).toArray(String[]::new));
        var prefix = prefix(request);
        var team = name(request, "team");
        if (access.team() != null && team != null && !team.equals(access.team())) {
            throw IdentityErrors.notFound(IdentityKind.TEAM);
        }
        if (access.team() != null && kind != IdentityKind.TEAM) {
            team = access.team();
        }
        var user = name(request, "user");
        var org = name(request, "org");
        var disabled = QueryParameters.flag(request, DISABLED);
        boolean used = Boolean.TRUE.equals(QueryParameters.flag(request, USED));
        var identity = new JsonArray().add(kind.label()).add(user).add(team).add(org).add(disabled).add(prefix).encode();
        var after = PageCursor.decode(identity, QueryParameters.text(request, CURSOR));
        var query = new IdentityQuery(kind, user, team, org, disabled, prefix,
                limit(request, used ? MAX_LIMIT_WITH_USED : MAX_LIMIT), after);
        return page(access, query).flatMap(page -> views(page, used && TeamRestrictions.isUsageVisible(access, kind))
                .map(list -> new JsonObject().put(kind.label() + 's', new JsonArray(list)).put("next_cursor",
                        PageCursor.encode(identity, page.next()))));
    }

    private Uni<List<JsonObject>> views(IdentityPage page, boolean withUsed) {
        var list = views.of(page.identities());
        return withUsed
                ? list.flatMap(all -> usage.used(page.identities()).invoke(used -> {
                    for (int i = 0; i < all.size(); i++) {
                        all.get(i).put(USED, used.get(i));
                    }
                }).replaceWith(all))
                : list;
    }

    private Uni<IdentityPage> page(AdminAccess access, IdentityQuery query) {
        if (access.team() == null || query.kind() != IdentityKind.TEAM) {
            return store.list(query);
        }
        return store.find(IdentityKind.TEAM, access.team()).map(team -> new IdentityPage(team != null
                && team.name().startsWith(query.prefix()) && query.after() == null
                && (query.org() == null || query.org().equals(team.document().getString("org"))) ? List.of(team) : List.of(),
                null));
    }

    /** Returns the maximum number of entries that a request asks for. */
    static int limit(RoutingContext request) {
        return limit(request, MAX_LIMIT);
    }

    private static int limit(RoutingContext request, int max) {
        return QueryParameters.text(request, LIMIT) == null
                ? DEFAULT_LIMIT
                : (int) QueryParameters.integer(request, LIMIT, 1, max);
    }

    private static String name(RoutingContext request, String field) {
        var name = QueryParameters.text(request, field);
        if (name != null && !IdentityNames.isValid(name)) {
            throw BadRequestException.forField(field, field + ' ' + IdentityNames.ALLOWED);
        }
        return name;
    }

    private static String prefix(RoutingContext request) {
        var prefix = QueryParameters.text(request, PREFIX);
        if (prefix == null || prefix.isEmpty()) {
            return "";
        }
        return Identifiers.isLonger(prefix, IdentityNames.MAX_LENGTH) ? tooLong() : QueryParameters.name(request, PREFIX);
    }

    private static String tooLong() {
        throw BadRequestException.forField(PREFIX, "prefix must have at most " + IdentityNames.MAX_LENGTH + " characters");
    }
}
