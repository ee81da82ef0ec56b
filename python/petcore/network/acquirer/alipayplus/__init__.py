"""The Alipay+ dialect that an acquirer's existing integrations speak, as its public pages say."""
