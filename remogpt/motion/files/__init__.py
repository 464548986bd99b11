"""Motion files by suffix.

| suffix | read | written |
|---|---|---|
| .npy | features (T, 263), joints (T, 22, 3) or (T, 66) | joints, or `content="features"` |
| .npz | `joints` or `features`, with `fps`, `caption` | joints, fps, caption, features if they were given |
| .bvh | Bandai-Namco, CMU conversion, our own | our 22 joints, centimetres |
| .amc | CMU, with the subject's .asf beside it or `asf=` | no |
| .mat | UTD-MHAD `d_skel` | no |
| .html | no | a page that plays the motion |

Everything read is at 20 fps, float32, metres, y up.
"""
