"""Waking devices: Firebase Cloud Messaging (FCM HTTP v1) and the Apple Push Notification service (APNs)."""
