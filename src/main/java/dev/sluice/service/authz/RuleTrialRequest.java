package dev.sluice.service.authz;

import java.util.List;
import java.util.Map;

import jakarta.validation.constraints.NotNull;

import org.eclipse.microprofile.openapi.annotations.media.Schema;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

import dev.sluice.http.ErrorResponse;
import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.service.api.BadRequestException;
import dev.sluice.text.HeaderText;
import io.quarkus.runtime.annotations.RegisterForReflection;
import io.vertx.core.MultiMap;
import io.vertx.core.net.SocketAddress;

/** Body of {@code POST /v1/rules/try}: a request as the gateway would receive it. */
@RegisterForReflection
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@Schema(name = "RuleTrialRequest", description = "Request that is tried, as the gateway would receive it")
record RuleTrialRequest(
        @Schema(defaultValue = "GET", description = "HTTP method") String method,
        @NotNull(message = "is missing") @Schema(required = true, description = "Path with the query, if any; or an absolute URL", examples = "/campaigns?page=2") String path,
        @Schema(description = "Query, if the path has none", examples = "page=2") String query,
        @Schema(description = "Header fields; the value of a field that is repeated is a list. Credentials identify the caller as those of a real request do") Map<String, Object> headers,
        @Schema(description = "Address of the client, or of the proxy that names it in X-Forwarded-For; unknown if absent", examples = "203.0.113.9") String remoteAddress,
        @Schema(description = "Host that the request is for; that of the URL or of the field Host if absent", examples = "api.example.com") String host,
        @Schema(description = "Tier whose rates apply, in place of that of the caller", examples = "pro") String tier) {

    /**
     * Returns the request that a body describes. Static: Quarkus registers what the instance methods of a schema return for reflection.
     *
     * @throws BadRequestException if a field is invalid
     */
    static ForwardedRequest requestOf(RuleTrialRequest body) {
        var query = body.query;
        var target = OriginalRequestHeaders.read(body.method == null ? "GET" : body.method, HeaderText.encode(body.path));
        if (target.error() != null) {
            throw new BadRequestException(target.error());
        }
        if (query != null && target.query() != null) {
            throw BadRequestException.forField("query", "path has a query already");
        }
        var remoteAddress = body.remoteAddress;
        if (remoteAddress != null && !ClientAddressResolver.isAddress(remoteAddress)) {
            throw BadRequestException.forField("remote_address", "remote_address must be an IP address");
        }
        var fields = fields(body.headers);
        var peer = remoteAddress == null ? null : SocketAddress.inetSocketAddress(0, remoteAddress);
        var authority = body.host != null ? body.host : target.authority() != null ? target.authority() : fields.get("Host");
        return new ForwardedRequest(target.method(), authority, target.path(),
                query == null ? target.query() : HeaderText.encode(query), fields, peer, peer, null);
    }

    private static MultiMap fields(Map<String, Object> headers) {
        var fields = MultiMap.caseInsensitiveMultiMap();
        if (headers != null) {
            headers.forEach((name, value) -> (value instanceof List<?> values ? values : List.of(value == null ? 0 : value))
                    .forEach(each -> {
                        if (name.isBlank() || !(each instanceof String text)) {
                            throw new BadRequestException(ErrorResponse.badRequest("headers",
                                    "headers must have names, and strings or lists of strings as values"));
                        }
                        fields.add(name, HeaderText.encode(text));
                    }));
        }
        return fields;
    }
}
