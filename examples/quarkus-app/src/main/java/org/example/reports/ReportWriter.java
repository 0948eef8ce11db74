package org.example.reports;

import jakarta.enterprise.context.ApplicationScoped;

import dev.sluice.annotation.RateLimited;

@ApplicationScoped
public class ReportWriter {

    @RateLimited(limit = 1, window = 3600)
    public String yearly() {
        return "a year";
    }
}
