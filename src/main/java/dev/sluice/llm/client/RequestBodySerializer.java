package dev.sluice.llm.client;

import java.io.IOException;

import org.jboss.resteasy.reactive.client.impl.RestClientRequestContext;
import org.jboss.resteasy.reactive.common.core.Serialisers;
import org.jboss.resteasy.reactive.common.util.MultivaluedTreeMap;
import org.jspecify.annotations.Nullable;

import io.vertx.core.buffer.Buffer;

/** Serializes the body that a REST client is about to send. */
final class RequestBodySerializer {

    private RequestBodySerializer() {
    }

    /**
     * Returns the serialized body; null if there is none, or if it can be read only once. The client serializes it again to
     * send it.
     */
    static @Nullable Buffer of(RestClientRequestContext context) {
        var entity = context.getEntity();
        if (entity == null || entity.getEntity() == null || context.isMultipart() || context.isFileUpload()
                || context.isInputStreamUpload() || context.isMultiBufferUpload()) {
            return null;
        }
        if (entity.getEntity() instanceof Buffer buffer) {
            return buffer;
        }
        try {
            var headers = new MultivaluedTreeMap<String, String>();
            headers.putAll(context.getRequestHeadersAsMap());
            return context.writeEntity(entity, headers,
                    Serialisers.NO_WRITER_INTERCEPTOR);
        } catch (IOException | RuntimeException e) {
            // The client reports the error when it serializes the body itself.
            return null;
        }
    }
}
