"""Channel flow: how the views' channels map to channels of a cost volume, declared as its `channel_flow`."""

from __future__ import annotations

from enum import Enum


class ChannelFlow(Enum):
    """How the channels of a volume come from those of the left and the right features.

    A volume whose result no longer has the features' channels is summed, averaged or mixed. An averaging volume has
    `groups`, over whose equal shares of neighbouring channels it averages, and `averaged_channels`, see
    `kept_share`.
    """

    PAIRED = "channel c is made from channel c of either view"
    JOINED = "the left view's channels, then the right view's"
    SUMMED = "a sum over the channels, channel c of one view beside channel c of the other"
    AVERAGED = "a mean over groups of channels, channel c of one view beside channel c of the other"
    MIXED = "not channel by channel: none can be taken away"


def kept_share(channels: int, averaged_channels: int | None) -> float:
    """The factor on a mean over `channels` of which some have been removed.

    A removed channel counts as zero, so that the mean still divides by the number of channels that there were when
    the network was trained: `averaged_channels`, or None where all are still there.
    """
    return 1.0 if averaged_channels is None else channels / averaged_channels
