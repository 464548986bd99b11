"""Motion files by suffix.

| suffix | read | written |
|---|---|---|
| .npy | features (T, 263), joints of SMPL (T, 22 or more, 3), (T, 66) | joints, or `content="features"` |
| .npz | `joints` or `features`, with a rate, `caption`; AMASS | joints, fps, caption, features if they were given |
| .bvh | any human skeleton | our 22 joints, centimetres |
| .glb, .gltf | animations of any human skeleton | see `write` |
| .amc | any human skeleton, with its .asf | no |
| .mat | UTD-MHAD `d_skel` | no |
| .html | no | a page that plays the motion |

Everything read is at 20 fps, float32, metres, y up.
"""
