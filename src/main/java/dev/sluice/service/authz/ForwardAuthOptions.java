package dev.sluice.service.authz;

import dev.sluice.service.api.BadRequestException;
import dev.sluice.service.api.QueryParameters;
import io.vertx.ext.web.RoutingContext;

/**
 * Query parameters of {@code /v1/forward-auth}, which the operator of the proxy chooses.
 *
 * @param denyStatus status of a refusal: 429, or 403 for nginx, which answers 500 for 429
 * @param resource resource of the rule that applies; null for the rules of the path
 * @param source headers that describe the request; null for the first set that is present
 */
record ForwardAuthOptions(int denyStatus, String resource, OriginalRequestHeaders source) {

    private static final ForwardAuthOptions DEFAULT = new ForwardAuthOptions(429, null, null);

    /** @throws BadRequestException if a parameter is unknown, repeated or out of range */
    static ForwardAuthOptions of(RoutingContext context) {
        var query = context.request().query();
        if (query == null || query.isEmpty()) {
            return DEFAULT;
        }
        QueryParameters.allow(context, "deny", "resource", "from");
        var resource = QueryParameters.text(context, "resource");
        return new ForwardAuthOptions(denyStatus(QueryParameters.text(context, "deny")),
                resource == null ? null : QueryParameters.name(context, "resource"),
                source(QueryParameters.text(context, "from")));
    }

    private static int denyStatus(String deny) {
        if (deny == null || deny.equals("429")) {
            return 429;
        }
        if (deny.equals("403")) {
            return 403;
        }
        throw BadRequestException.forField("deny", "deny must be 403 or 429");
    }

    private static OriginalRequestHeaders source(String from) {
        if (from == null) {
            return null;
        }
        return switch (from) {
            case "forwarded" -> OriginalRequestHeaders.FORWARDED;
            case "original" -> OriginalRequestHeaders.ORIGINAL;
            default -> throw BadRequestException.forField("from", "from must be forwarded or original");
        };
    }
}
