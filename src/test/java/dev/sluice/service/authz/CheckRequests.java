package dev.sluice.service.authz;

import static java.util.stream.Collectors.toMap;

import java.util.List;
import java.util.Map;

import com.google.protobuf.ByteString;

import dev.sluice.service.grpc.proto.AddressProto.Address;
import dev.sluice.service.grpc.proto.AddressProto.SocketAddress;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext.HttpRequest;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext.Peer;
import dev.sluice.service.grpc.proto.AttributeContextProto.AttributeContext.Request;
import dev.sluice.service.grpc.proto.CoreProto.HeaderMap;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValue;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValueOption;
import dev.sluice.service.grpc.proto.CoreProto.HeaderValueOption.HeaderAppendAction;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckRequest;
import dev.sluice.service.grpc.proto.ExternalAuthProto.CheckResponse;
import dev.sluice.testing.grpc.GrpcTestClient;

/** Requests to Envoy's authorization service, as Envoy sends them. */
final class CheckRequests {

    static final String CHECK = "envoy.service.auth.v3.Authorization/Check";

    private CheckRequests() {
    }

    static CheckResponse ask(GrpcTestClient client, CheckRequest request) {
        return client.call(CHECK, request, CheckResponse.parser());
    }

    /**
     * @param source address of the peer of Envoy; null if it is not an IP address
     * @param headers names and values in turn
     */
    static CheckRequest request(String source, String method, String path, String... headers) {
        var http = http(method, path);
        for (int i = 0; i < headers.length; i += 2) {
            http.putHeaders(headers[i], headers[i + 1]);
        }
        return request(source, http, Map.of());
    }

    /** As with Envoy's {@code encode_raw_headers}. */
    static CheckRequest rawRequest(String source, String path, String... headers) {
        var map = HeaderMap.newBuilder();
        for (int i = 0; i < headers.length; i += 2) {
            map.addHeaders(HeaderValue.newBuilder().setKey(headers[i]).setRawValue(ByteString.copyFromUtf8(headers[i + 1])));
        }
        return request(source, http("GET", path).setHeaderMap(map), Map.of());
    }

    static CheckRequest request(String source, HttpRequest.Builder http, Map<String, String> extensions) {
        var attributes = AttributeContext.newBuilder().setRequest(Request.newBuilder().setHttp(http))
                .putAllContextExtensions(extensions);
        if (source != null) {
            attributes.setSource(Peer.newBuilder().setAddress(
                    Address.newBuilder().setSocketAddress(SocketAddress.newBuilder().setAddress(source).setPortValue(40_000))));
        }
        return CheckRequest.newBuilder().setAttributes(attributes).build();
    }

    static HttpRequest.Builder http(String method, String path) {
        return HttpRequest.newBuilder().setMethod(method).setPath(path).putHeaders(":method", method).putHeaders(":path", path)
                .putHeaders(":authority", "api.example.com");
    }

    /** Returns fields by name; all of them must replace others of the same name. */
    static Map<String, String> fields(List<HeaderValueOption> options) {
        return options.stream().filter(option -> option.getAppendAction() == HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD)
                .map(HeaderValueOption::getHeader).collect(toMap(HeaderValue::getKey, HeaderValue::getValue));
    }
}
