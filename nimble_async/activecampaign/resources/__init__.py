"""The operations of ActiveCampaign: facts on top of each module, methods below."""
