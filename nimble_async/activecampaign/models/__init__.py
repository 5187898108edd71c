"""What ActiveCampaign answers, and what is sent to it."""
