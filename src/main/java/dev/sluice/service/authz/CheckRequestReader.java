package dev.sluice.service.authz;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

import jakarta.inject.Singleton;

import dev.sluice.identity.ClientAddressResolver;
import dev.sluice.policy.CurrentPolicy;
import dev.sluice.policy.LimitRule;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValue;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckRequest;
import dev.sluice.text.HeaderText;
import io.vertx.core.MultiMap;
import io.vertx.core.net.SocketAddress;

/**
 * Reads the request that Envoy asks about. Text is converted to the form in which Netty delivers it, so that it is interpreted as
 * in a request to the gateway.
 * <p>
 * The client's address is found as on the gateway, with {@code attributes.source} as the peer: that is the remote end of the
 * connection to Envoy, which a client cannot forge. {@code X-Forwarded-For} counts only if that peer is a trusted proxy. Envoy's own
 * address counts only if the source has none, as on a Unix domain socket.
 */
@Singleton
class CheckRequestReader {

    private static final String RESOURCE = "resource";
    private static final Pattern JOINED = Pattern.compile(",(?! )");
    private static final int MAX_RESOURCE_LENGTH = 256;

    private final CurrentPolicy policy;

    CheckRequestReader(CurrentPolicy policy) {
        this.policy = policy;
    }

    /**
     * Returns the request line, or the error in it.
     *
     * @throws InvalidCheckException if there is no path
     */
    OriginalRequestHeaders.Target readTarget(CheckRequest message) throws InvalidCheckException {
        var request = message.getAttributes().getRequest();
        if (!request.hasHttp()) {
            throw new InvalidCheckException("attributes.request.http is missing: only HTTP requests are decided");
        }
        if (request.getHttp().getPath().isEmpty()) {
            throw new InvalidCheckException("attributes.request.http.path must not be empty");
        }
        return OriginalRequestHeaders.read(request.getHttp().getMethod(), HeaderText.encode(request.getHttp().getPath()));
    }

    /** Returns the headers, without pseudo-headers. */
    MultiMap readHeaders(CheckRequest message) {
        var http = message.getAttributes().getRequest().getHttp();
        var headers = MultiMap.caseInsensitiveMultiMap();
        if (http.hasHeaderMap()) { // instead of the others: encode_raw_headers
            http.getHeaderMap().getHeadersList().forEach(header -> add(headers, header.getKey(), value(header)));
        } else {
            http.getHeadersMap().forEach((name, value) -> add(headers, name, HeaderText.encode(value)));
        }
        return headers;
    }

    private static void add(MultiMap headers, String name, String value) {
        if (!name.isEmpty() && !name.startsWith(":")) {
            headers.add(name, value);
        }
    }

    private static String value(HeaderValue header) {
        return header.getRawValue().isEmpty()
                ? HeaderText.encode(header.getValue())
                : header.getRawValue().toString(StandardCharsets.ISO_8859_1);
    }

    /**
     * Returns the request.
     *
     * @param target the request line, without error
     * @param proxy remote end of Envoy's connection; null if it is not known
     * @throws InvalidCheckException if the resource is unknown
     */
    ForwardedRequest read(CheckRequest message, OriginalRequestHeaders.Target target, SocketAddress proxy)
            throws InvalidCheckException {
        var attributes = message.getAttributes();
        var headers = readHeaders(message);
        return new ForwardedRequest(target.method(),
                target.authority() == null ? host(attributes) : target.authority(), target.path(), target.query(),
                headers, attributes.getRequest().getHttp().hasHeaderMap() ? headers : withSingleLines(headers),
                peer(attributes, proxy), proxy, rule(attributes));
    }

    /** Envoy joins the lines of a repeated field by a comma without a space, unless it is told to {@code encode_raw_headers}. */
    private static MultiMap withSingleLines(MultiMap headers) {
        if (headers.entries().stream().noneMatch(field -> JOINED.matcher(field.getValue()).find())) {
            return headers;
        }
        var apart = MultiMap.caseInsensitiveMultiMap().addAll(headers);
        headers.forEach(field -> {
            var lines = JOINED.split(field.getValue());
            for (int i = 0; i < lines.length && lines.length > 1; i++) {
                apart.add(field.getKey(), lines[i]);
            }
        });
        return apart;
    }

    private static SocketAddress peer(AttributeContext attributes, SocketAddress proxy) {
        var address = attributes.getSource().getAddress().getSocketAddress().getAddress();
        return ClientAddressResolver.isAddress(address) ? SocketAddress.inetSocketAddress(0, address) : proxy;
    }

    private static String host(AttributeContext attributes) {
        var host = attributes.getRequest().getHttp().getHost();
        return host.isEmpty() ? null : host;
    }

    private LimitRule rule(AttributeContext attributes) throws InvalidCheckException {
        if (!attributes.containsContextExtensions(RESOURCE)) {
            return null;
        }
        var resource = attributes.getContextExtensionsOrThrow(RESOURCE);
        var rule = policy.rule(resource);
        if (rule == null) {
            var name = resource.length() <= MAX_RESOURCE_LENGTH
                    ? resource
                    : resource.substring(0, MAX_RESOURCE_LENGTH) + "...";
            throw new InvalidCheckException(
                    "context_extensions[\"resource\"] must be the resource name of a rule (was: '" + name
                            + "'); GET /v1/rules lists them");
        }
        return rule;
    }
}
